//! Work on many things at the same time, with a limit in total and a limit for each group.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Condvar, Mutex},
};

/// Does the work for each index of `groups`, and returns the results in their order. At most `in_total` are worked on at
/// the same time, and at most `per_group` of the same group; groups take turns.
pub(super) fn each<G: Ord, R: Send>(
    groups: &[G],
    in_total: usize,
    per_group: usize,
    work: &(dyn Fn(usize) -> R + Sync),
) -> Vec<R> {
    let board =
        Board { waiting: Mutex::new(Waiting::new(groups, per_group.max(1))), changed: Condvar::new() };
    let run = || {
        let mut done = Vec::new();
        while let Some((queue, index)) = board.take() {
            let _turn = Turn { board: &board, queue };
            done.push((index, work(index)));
        }
        done
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..in_total.max(1).min(groups.len())).map(|_| scope.spawn(run)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("the work does not panic")).collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

struct Board {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// A turn of a group, given back also when the work panics: others wait for it.
struct Turn<'a> {
    board: &'a Board,
    queue: usize,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.board.give_back(self.queue);
    }
}

/// What nobody has taken yet.
struct Waiting {
    queues: Vec<Queue>,
    per_group: usize,
    left: usize,
    /// Whose turn it is.
    turn: usize,
}

/// The indices of one group.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<usize>,
    at_work: usize,
}

impl Board {
    /// The next index that may be worked on, and its queue. Waits for one; none when nothing is left.
    fn take(&self) -> Option<(usize, usize)> {
        let mut waiting = self.waiting.lock().expect("no panic holds it");
        while waiting.left > 0 {
            if let Some(taken) = waiting.take() {
                return Some(taken);
            }
            waiting = self.changed.wait(waiting).expect("no panic holds it");
        }
        None
    }

    fn give_back(&self, queue: usize) {
        self.waiting.lock().expect("no panic holds it").queues[queue].at_work -= 1;
        self.changed.notify_all();
    }
}

impl Waiting {
    fn new<G: Ord>(groups: &[G], per_group: usize) -> Self {
        let mut places: BTreeMap<&G, usize> = BTreeMap::new();
        let mut queues: Vec<Queue> = Vec::new();
        for (index, group) in groups.iter().enumerate() {
            let place = *places.entry(group).or_insert_with(|| {
                queues.push(Queue::default());
                queues.len() - 1
            });
            queues[place].waiting.push_back(index);
        }
        Self { queues, per_group, left: groups.len(), turn: 0 }
    }

    fn take(&mut self) -> Option<(usize, usize)> {
        let count = self.queues.len();
        let mut places = (0..count).map(|step| (self.turn + step) % count);
        let place = places.find(|place| {
            let queue = &self.queues[*place];
            queue.at_work < self.per_group && !queue.waiting.is_empty()
        })?;
        let index = self.queues[place].waiting.pop_front()?;
        self.queues[place].at_work += 1;
        self.left -= 1;
        self.turn = place + 1;
        Some((place, index))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[test]
    fn all_is_done_once_and_comes_back_in_order() {
        let groups: Vec<usize> = (0..200).map(|index| index % 7).collect();
        let done = Mutex::new(Vec::new());
        let results = each(&groups, 16, 4, &|index| {
            done.lock().unwrap().push(index);
            index * 2
        });
        assert_eq!(results, (0..200).map(|index| index * 2).collect::<Vec<_>>());
        let mut done = done.into_inner().unwrap();
        done.sort_unstable();
        assert_eq!(done, (0..200).collect::<Vec<_>>());
        assert!(each::<u8, ()>(&[], 16, 4, &|_| ()).is_empty());
    }

    #[test]
    fn a_panic_ends_everything_and_keeps_nobody_waiting() {
        let outcome = std::panic::catch_unwind(|| {
            each(&[0, 0, 0, 0, 0, 0], 2, 1, &|index| assert!(index != 2, "on purpose"));
        });
        assert!(outcome.is_err());
    }

    #[test]
    fn limits_are_kept_and_reached() {
        // Two groups with a limit of 3 each, so that 6 of 8 workers meet at most, and 3 of one group.
        let groups: Vec<usize> = (0..120).map(|index| index % 2).collect();
        let at_work = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let most = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let meeting = std::sync::Barrier::new(3);
        each(&groups, 8, 3, &|index| {
            let group = index % 2;
            let now = at_work[group].fetch_add(1, Ordering::SeqCst) + 1;
            most[group].fetch_max(now, Ordering::SeqCst);
            if group == 0 {
                // Nobody passes unless three of the group are here at the same time.
                meeting.wait();
            }
            at_work[group].fetch_sub(1, Ordering::SeqCst);
        });
        assert_eq!(most[0].load(Ordering::SeqCst), 3);
        assert!(most[1].load(Ordering::SeqCst) <= 3);
    }

    #[test]
    fn one_slow_group_does_not_hold_up_the_others() {
        // The first group ends only when all of the second is done: with one queue for all this would never end.
        let groups = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
        let done = AtomicUsize::new(0);
        let ended = (Mutex::new(()), Condvar::new());
        each(&groups, 2, 1, &|index| {
            if groups[index] == 1 {
                done.fetch_add(1, Ordering::SeqCst);
                ended.1.notify_all();
                return;
            }
            let mut guard = ended.0.lock().unwrap();
            while done.load(Ordering::SeqCst) < 6 {
                guard = ended.1.wait_timeout(guard, std::time::Duration::from_millis(10)).unwrap().0;
            }
        });
        assert_eq!(done.load(Ordering::SeqCst), 6);
    }
}
