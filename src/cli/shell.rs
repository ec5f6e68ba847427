//! `completions` and `man`: both made of the definition of the command line.

use std::{io::Write, path::PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;

use super::completions;
use crate::{
    commands::{CommandError, Exit, Terminal},
    model::shown::ShowPath,
};

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Write the page of each command into this directory, instead of printing the first
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Completions {
    pub(super) fn run(&self, command: Command, terminal: Terminal) -> Result<Exit, CommandError> {
        completions::print(self.shell, command, terminal)
    }
}

impl Man {
    pub(super) fn run(&self, command: Command, terminal: Terminal) -> Result<Exit, CommandError> {
        let mut command = command.disable_help_subcommand(true);
        command.build();
        let mut pages = Vec::new();
        collect(&command, command.get_name(), &mut pages)?;
        match &self.out {
            None => {
                let (_, page) = pages.swap_remove(0);
                terminal.show(|out| out.write_all(&page))?;
            }
            Some(directory) => {
                for (name, page) in &pages {
                    crate::commands::write_file(&directory.join(format!("{name}.1")), page)?;
                }
                terminal.say(&format!("{} pages are written into {}", pages.len(), directory.shown()));
            }
        }
        Ok(Exit::Done)
    }
}

/// The page of a command, and those of the commands below it.
fn collect(command: &Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), CommandError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name.to_uppercase()).render(&mut page)?;
    page.flush()?;
    pages.push((name.to_owned(), page));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        collect(below, &format!("{name}-{}", below.get_name()), pages)?;
    }
    Ok(())
}
