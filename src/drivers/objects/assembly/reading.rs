//! Reading objects of one kind into facts. What cannot be read is noted, and makes unknown what it would have been part of.

use std::{collections::BTreeMap, fmt::Display};

use crate::{
    drivers::objects::{Bag, ObjectError},
    model::fact::Fact,
};

/// The objects of one cmdlet, of one server or of the organization.
pub(super) struct Reading<'a, 'b, 'c> {
    /// Where they come from.
    pub(super) source: &'c str,
    /// The objects with their numbers.
    pub(super) bags: &'b [(usize, Bag<'a>)],
    /// Whether the cmdlet is known to have come to its end without an error.
    pub(super) completed: bool,
    pub(super) notes: &'c mut Vec<String>,
}

impl<'a> Reading<'a, '_, '_> {
    /// Why there being no object says nothing: where one has to be, it is a failure, and elsewhere it may be one, as long as
    /// nothing says that the cmdlet succeeded. Remote cmdlets fail without a word where nobody told the shell to stop.
    pub(super) fn nothing(&mut self, may_be_empty: bool) -> Option<String> {
        match (self.bags.is_empty(), may_be_empty, self.completed) {
            (false, ..) | (true, true, true) => None,
            (true, false, _) => {
                let why = "it is empty, which it never is where the cmdlet succeeded";
                self.notes.push(format!(
                    "{}: {why}; run it in an elevated shell, and look for its error",
                    self.source
                ));
                Some(format!("{} is empty", self.source))
            }
            (true, true, false) => {
                let why = "it is empty, and nothing says that the cmdlet succeeded";
                self.notes.push(format!(
                    "{}: {why}; capture again with the script that `certwright observe --print-script` prints",
                    self.source
                ));
                Some(format!("{} is empty, and may have failed", self.source))
            }
        }
    }

    /// Everything in a row; one that cannot be read makes the row unknown.
    pub(super) fn list<T>(&mut self, read: impl Fn(&Bag<'a>) -> Result<T, ObjectError>) -> Fact<Vec<T>> {
        let mut list = Vec::new();
        let mut failed = None;
        for (index, bag) in self.bags {
            match read(bag) {
                Ok(value) => list.push(value),
                Err(error) => {
                    self.note(*index, &error);
                    failed.get_or_insert_with(|| format!("object {index} of {} cannot be read", self.source));
                }
            }
        }
        failed.map_or(Fact::Known(list), Fact::unknown)
    }

    /// Those that can be read.
    pub(super) fn each<T>(&mut self, read: impl Fn(&Bag<'a>) -> Result<T, ObjectError>) -> Vec<T> {
        let mut list = Vec::new();
        for (index, bag) in self.bags {
            match read(bag) {
                Ok(value) => list.push(value),
                Err(error) => self.note(*index, &error),
            }
        }
        list
    }

    /// Everything by its name.
    pub(super) fn map<K: Ord + Display, V: PartialEq>(
        &mut self,
        read: impl Fn(&Bag<'a>) -> Result<(K, V), ObjectError>,
    ) -> Fact<BTreeMap<K, V>> {
        let list = match self.list(read) {
            Fact::Known(list) => list,
            Fact::Unknown(unknown) => return Fact::Unknown(unknown),
        };
        let mut map = BTreeMap::new();
        for (name, value) in list {
            if map.get(&name).is_some_and(|first| *first != value) {
                let why = format!("{name} is in {} twice, and not the same", self.source);
                self.notes.push(why.clone());
                return Fact::unknown(why);
            }
            map.insert(name, value);
        }
        Fact::Known(map)
    }

    /// One object, or none when there is none.
    pub(super) fn one<T: PartialEq>(
        &mut self,
        read: impl Fn(&Bag<'a>) -> Result<T, ObjectError>,
    ) -> Fact<Option<T>> {
        let list = match self.list(read) {
            Fact::Known(list) => list,
            Fact::Unknown(unknown) => return Fact::Unknown(unknown),
        };
        let mut list = list.into_iter();
        match (list.next(), list.next()) {
            (first, None) => Fact::Known(first),
            (Some(first), Some(second)) if first == second && list.next().is_none() => {
                Fact::Known(Some(first))
            }
            _ => {
                let why = format!("{} holds more than one", self.source);
                self.notes.push(format!("{why}, where there is one at most; export them again"));
                Fact::unknown(why)
            }
        }
    }

    /// One object that has to be there.
    pub(super) fn only<T: PartialEq>(
        &mut self,
        read: impl Fn(&Bag<'a>) -> Result<T, ObjectError>,
    ) -> Fact<T> {
        match self.one(read) {
            Fact::Known(Some(value)) => Fact::Known(value),
            Fact::Known(None) => Fact::unknown(format!("{} is empty", self.source)),
            Fact::Unknown(unknown) => Fact::Unknown(unknown),
        }
    }

    pub(super) fn note(&mut self, index: usize, what: &impl Display) {
        self.notes.push(format!("{}, object {index}: {what}", self.source));
    }
}
