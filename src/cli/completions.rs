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
    let script = match shell {
        Shell::PowerShell => powershell(&command, &script),
        Shell::Fish => script + &fish(&command),
        _ => script,
    };
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
    for (named, word, _) in NameKind::ALL {
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
            _ => continue,
        };
        script = script.replace(&old, &new);
    }
    match shell {
        Shell::Bash => format!("{BASH}{}", script.replacen("    prev=\"$3\"\n", BASH_WORDS, 1)),
        Shell::Zsh => {
            let script = first_words_or_commands(&script);
            script.replacen("#compdef certwright\n", &format!("#compdef certwright\n{ZSH}"), 1)
        }
        _ => script,
    }
}

/// Where the first word is an argument or a command, zsh's script of clap takes it for the argument, and looks for the command in
/// the second one. Here both are offered for the first.
fn first_words_or_commands(script: &str) -> String {
    let list = |line: &&str| {
        line.strip_prefix("\":: :").and_then(|line| line.strip_suffix("\" \\").map(str::to_owned))
    };
    let (mut told, mut words) = (String::new(), None);
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        let of_argument = ["'::", "'*::"].iter().any(|start| line.starts_with(start));
        match (words.take(), list(&line)) {
            _ if of_argument && lines.peek().and_then(list).is_some() => {
                let values = line.rsplit_once(":(").and_then(|(_, values)| values.split_once(')'));
                words = values.map(|(values, _)| values);
            }
            (Some(words), Some(list)) => {
                told.push_str(&format!("\":: :{{{list}; compadd -- {words}}}\" \\\n"))
            }
            _ => told.push_str(&format!("{line}\n")),
        }
    }
    told.replace("$line[2]", "$line[1]")
}

/// The commands of the program by their words, and the values that their options and arguments take.
fn each_command(command: &Command, words: &[&str], told: &mut dyn FnMut(&[&str], &Command)) {
    told(words, command);
    for below in command.get_subcommands() {
        each_command(below, &[words, &[below.get_name()]].concat(), told);
    }
}

fn possible(arg: &Arg) -> Vec<String> {
    let values = arg.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
    let is_mark = |name: &str| NameKind::ALL.iter().any(|(named, ..)| mark(*named) == name);
    values.map(|value| value.get_name().to_owned()).filter(|name| !is_mark(name)).collect()
}

/// What the script of clap does not have: values of options and arguments, names of the manifest, and commands behind which a path
/// stands.
fn powershell(command: &Command, script: &str) -> String {
    let (mut commands, mut values) = (Vec::new(), String::new());
    each_command(command, &[command.get_name()], &mut |words, command| {
        let name = words.join(";");
        commands.push(format!("'{name}'"));
        for arg in command.get_arguments() {
            let listed: Vec<String> = possible(arg).iter().map(|value| format!("'{value}'")).collect();
            let key = match arg.get_long() {
                _ if listed.is_empty() => continue,
                Some(long) => format!("{name};--{long}"),
                None if arg.is_positional() => name.clone(),
                None => continue,
            };
            values.push_str(&format!("        '{key}' = @({})\n", listed.join(", ")));
        }
    });
    let asked: Vec<String> = NameKind::ALL
        .iter()
        .flat_map(|(_, word, options)| options.iter().map(move |option| format!("'--{option}' = '{word}'")))
        .collect();
    let names = POWERSHELL_NAMES.replace("@ASKED@", &asked.join("; ")).replace("@ASKS@", ASKS);
    let known = POWERSHELL_VALUES.replace("@COMMANDS@", &commands.join(", ")).replace("@VALUES@", &values);
    let elements = "    $commandElements = $commandAst.CommandElements\n";
    let (joined, offered) = ("    }) -join ';'\n", "    $completions.Where{");
    script
        .replacen(elements, &format!("{names}{elements}"), 1)
        .replacen(joined, &format!("{joined}{known}"), 1)
        .replacen(offered, &format!("{POWERSHELL_ARGUMENTS}{offered}"), 1)
}

/// What the script of clap does not have: the values of arguments.
fn fish(command: &Command) -> String {
    let mut lines = String::new();
    for below in command.get_subcommands() {
        let values: Vec<String> =
            below.get_arguments().filter(|arg| arg.is_positional()).flat_map(possible).collect();
        if values.is_empty() {
            continue;
        }
        let deeper: Vec<&str> = below.get_subcommands().map(Command::get_name).collect();
        let unless = if deeper.is_empty() {
            String::new()
        } else {
            format!("; and not __fish_seen_subcommand_from {} help", deeper.join(" "))
        };
        lines.push_str(&format!(
            "complete -c {} -n \"__fish_{0}_using_subcommand {}{unless}\" -f -a \"{}\"\n",
            command.get_name(),
            below.get_name(),
            values.join(" ")
        ));
    }
    lines
}

const POWERSHELL_NAMES: &str = r#"    $words = @($commandAst.CommandElements | ForEach-Object { if ($_ -is [StringConstantExpressionAst]) { $_.Value } else { "$_" } })
    $before = if ($wordToComplete) { $words[-2] } else { $words[-1] }
    $typed, $prefix = $wordToComplete.Trim('"', "'"), ''
    if ($wordToComplete -match '^(--[\w-]+)=(.*)$') {
        $before, $typed, $prefix = $Matches[1], $Matches[2].Trim('"', "'"), "$($Matches[1])="
    }
    $offer = {
        param($value)
        $whole = if ($value -match '^[\w.-]+$') { $value } else { "'" + $value.Replace("'", "''") + "'" }
        [CompletionResult]::new("$prefix$whole", $value, [CompletionResultType]::ParameterValue, $value)
    }
    $asked = @{ @ASKED@ }
    if ($asked.ContainsKey("$before")) {
        & $words[0] @ASKS@ $asked[$before] $words 2>$null |
            Where-Object { $_.StartsWith($typed, 'OrdinalIgnoreCase') } | ForEach-Object { & $offer $_ }
        return
    }
"#;

const POWERSHELL_VALUES: &str = r#"
    # A path or a name is no command.
    $commands = @(@COMMANDS@)
    while ($command.Contains(';') -and $command -notin $commands) { $command = $command -replace ';[^;]*$' }
    $values = @{
@VALUES@    }
    if ($values.ContainsKey("$command;$before")) {
        $values["$command;$before"] |
            Where-Object { $_.StartsWith($typed, 'OrdinalIgnoreCase') } | ForEach-Object { & $offer $_ }
        return
    }
"#;

const POWERSHELL_ARGUMENTS: &str = r"    if ($values.ContainsKey($command)) { $completions += @($values[$command] | ForEach-Object { & $offer $_ }) }

";

const BASH: &str = r#"_certwright_names() {
    local IFS=$'\n' name word words=()
    COMPREPLY=()
    for word in "${COMP_WORDS[@]}"; do
        [[ $word == = ]] || words+=("$word")
    done
    for name in $("${COMP_WORDS[0]}" --names "$1" "${words[@]}" 2>/dev/null); do
        [[ $name == "$cur"* ]] || continue
        case ${COMP_WORDS[COMP_CWORD]} in
            [\"\']*) COMPREPLY+=("$name") ;;
            *) COMPREPLY+=("$(printf '%q' "$name")") ;;
        esac
    done
}

"#;

/// The word before; an equals sign is a word of its own.
const BASH_WORDS: &str = r#"    prev="$3"
    if [[ $cur == = ]]; then
        cur=""
    elif [[ $prev == = ]]; then
        prev="${COMP_WORDS[COMP_CWORD-2]}"
    fi
"#;

const ZSH: &str = r#"
_certwright_names() {
    local -a names
    names=(${(f)"$(certwright --names $1 certwright "${words[@]}" 2>/dev/null)"})
    compadd -a names
}
"#;
