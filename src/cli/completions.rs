//! Completions: made of the definition of the command line, with the names of the manifest that the command line means. What a
//! shell asks by is no command of its own: `certwright --names KIND WORDS…`, in which WORDS are those typed so far.

use std::{ffi::OsString, io::Write};

use clap::{Arg, Command, builder::PossibleValuesParser};
use clap_complete::Shell;

use crate::{
    commands::{
        CommandError, Exit, Terminal,
        names::{NameKind, names},
    },
    explain::{ExplanationKind, catalogue},
};

/// How scripts ask for names.
const ASKS: &str = "--names";

/// Prints names when these arguments of the program ask for them.
pub(super) fn answer(arguments: &[OsString]) -> bool {
    let [_, asks, kind, words @ ..] = arguments else { return false };
    let Some((named, ..)) = NameKind::ALL.iter().find(|(_, word, _)| kind == word) else { return false };
    if asks != ASKS {
        return false;
    }
    let mut out = std::io::stdout().lock();
    for name in names(*named, words) {
        // Whoever has seen enough closes the pipe.
        if writeln!(out, "{name}").is_err() {
            break;
        }
    }
    true
}

/// Prints the script for a shell.
pub(super) fn print(shell: Shell, command: Command, terminal: Terminal) -> Result<Exit, CommandError> {
    let mut command = with_values(command);
    let program = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, program, &mut script);
    let script = asking(shell, String::from_utf8_lossy(&script).into_owned());
    terminal.show(|out| out.write_all(script.as_bytes()))?;
    Ok(Exit::Done)
}

/// The command with what its options take: ids that are known, and marks where names of a manifest belong.
fn with_values(command: Command) -> Command {
    let below: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let command = command.mut_args(|arg| match values_of(&arg) {
        Some(values) => arg.value_parser(PossibleValuesParser::new(values)),
        None => arg,
    });
    below.into_iter().fold(command, |command, name| command.mut_subcommand(name, with_values))
}

fn values_of(arg: &Arg) -> Option<Vec<&'static str>> {
    let long = arg.get_long();
    let of_manifest =
        NameKind::ALL.iter().find(|(_, _, options)| long.is_some_and(|long| options.contains(&long)));
    if let Some((named, ..)) = of_manifest {
        return Some(vec![mark(*named)]);
    }
    let is_finding = |kind: ExplanationKind| kind == ExplanationKind::Finding;
    let ids = |wanted: &dyn Fn(ExplanationKind) -> bool| {
        let mut ids: Vec<&str> =
            catalogue().iter().filter(|entry| wanted(entry.kind)).map(|entry| entry.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    match (long, arg.get_id().as_str()) {
        (Some("deny" | "allow"), _) => Some(ids(&is_finding)),
        (None, "words") => Some(ids(&|_| true)),
        _ => None,
    }
}

/// What stands in a script where it has to ask.
fn mark(kind: NameKind) -> &'static str {
    match kind {
        NameKind::Servers => "certwright-servers",
        NameKind::Certificates => "certwright-certificates",
        NameKind::Connectors => "certwright-connectors",
    }
}

/// The script with questions in the place of marks.
fn asking(shell: Shell, mut script: String) -> String {
    for (named, word, options) in NameKind::ALL {
        let mark = mark(named);
        let (old, new) = match shell {
            Shell::Bash => (
                format!("COMPREPLY=($(compgen -W \"{mark}\" -- \"${{cur}}\"))"),
                format!("_certwright_names {word}"),
            ),
            Shell::Zsh => (format!(":({mark})"), format!(":{{_certwright_names {word}}}")),
            Shell::Fish => (
                format!("\"{mark}\\t''\""),
                format!("\"(certwright {ASKS} {word} (commandline -opc) 2>/dev/null)\""),
            ),
            Shell::PowerShell => (
                "    $commandElements = $commandAst.CommandElements\n".to_owned(),
                options.iter().map(|option| powershell(option, word)).collect::<String>()
                    + "    $commandElements = $commandAst.CommandElements\n",
            ),
            _ => continue,
        };
        script = script.replace(&old, &new);
    }
    match shell {
        Shell::Bash => format!("{BASH}{script}"),
        Shell::Zsh => script.replacen("#compdef certwright\n", &format!("#compdef certwright\n{ZSH}"), 1),
        _ => script,
    }
}

/// PowerShell's completions know options and no values; those of this option come first.
fn powershell(option: &str, word: &str) -> String {
    format!(
        "    $words = @($commandAst.CommandElements | ForEach-Object {{ if ($_ -is [StringConstantExpressionAst]) {{ $_.Value }} else {{ \"$_\" }} }})\n    \
             $before = if ($wordToComplete) {{ $words[-2] }} else {{ $words[-1] }}\n    \
             if ($before -eq '--{option}') {{\n        \
                 & $words[0] {ASKS} {word} $words 2>$null | Where-Object {{ $_ -like \"$wordToComplete*\" }} | ForEach-Object {{\n            \
                     $text = if ($_ -match '^[\\w.-]+$') {{ $_ }} else {{ \"'\" + $_.Replace(\"'\", \"''\") + \"'\" }}\n            \
                     [CompletionResult]::new($text, $_, [CompletionResultType]::ParameterValue, $_)\n        \
                 }}\n        \
                 return\n    \
             }}\n"
    )
}

const BASH: &str = r#"_certwright_names() {
    local IFS=$'\n' name
    COMPREPLY=()
    for name in $("${COMP_WORDS[0]}" --names "$1" "${COMP_WORDS[@]}" 2>/dev/null); do
        [[ $name == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$name")")
    done
}

"#;

const ZSH: &str = r#"
_certwright_names() {
    local -a names
    names=(${(f)"$(certwright --names $1 certwright "${words[@]}" 2>/dev/null)"})
    compadd -a names
}
"#;
