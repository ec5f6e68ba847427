//! Completions in real shells, and manual pages in a real `man`. PowerShell is the one that is on every system, `pwsh`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{fs, process::Command};

#[cfg(unix)]
fn completions(shell: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let output = support::certwright(&["completions", shell], directory.path()).output().unwrap();
    assert!(output.status.success());
    let file = directory.path().join(shell);
    fs::write(&file, &output.stdout).unwrap();
    (directory, file.to_str().unwrap().to_owned())
}

fn told(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).env("TERM", "dumb").output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[cfg(unix)]
#[test]
fn bash_completes() {
    if !support::has_tool("bash") {
        return;
    }
    let (_directory, file) = completions("bash");
    let script = format!(
        "source {file}; COMP_WORDS=(certwright plan --ag); COMP_CWORD=2; _certwright certwright --ag plan; echo \"${{COMPREPLY[@]}}\"; \
         COMP_WORDS=(certwright ca); COMP_CWORD=1; _certwright certwright ca certwright; echo \"${{COMPREPLY[@]}}\""
    );
    let told = told("bash", &["--norc", "-c", &script]);
    assert!(told.contains("--against") && told.contains("calendar"), "{told}");
}

/// Bash takes an equals sign for a word of its own, and what is completed inside of quotation marks needs no backslashes.
#[cfg(unix)]
#[test]
fn bash_completes_behind_an_equals_sign_and_in_quotation_marks() {
    if !support::has_tool("bash") {
        return;
    }
    let (_directory, file) = completions("bash");
    let contoso = support::example("contoso");
    let bin = env!("CARGO_BIN_EXE_certwright");
    let script = format!(
        "source {file}; cd {place}; \
         COMP_WORDS=({bin} plan --server = EX); COMP_CWORD=4; _certwright {bin} EX =; echo \"${{COMPREPLY[*]}}\"; \
         COMP_WORDS=({bin} plan --format = ''); COMP_CWORD=3; _certwright {bin} = --format; echo \"${{COMPREPLY[*]}}\"; \
         COMP_WORDS=({bin} explain smtp --server EX01 --connector '\"To'); COMP_CWORD=6; \
         _certwright {bin} To --connector; echo \"${{COMPREPLY[*]}}\"; \
         COMP_WORDS=({bin} explain smtp --server EX01 --connector To); _certwright {bin} To --connector; echo \"${{COMPREPLY[*]}}\"",
        place = contoso.path().display(),
    );
    let told = told("bash", &["--norc", "-c", &script]);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "EX01 EX02", "{told}");
    assert!(lines[1].contains("markdown"), "{told}");
    assert_eq!(lines[2..], ["To Fabrikam", r"To\ Fabrikam"], "{told}");
}

/// Names of the manifest that the command line means, and ids.
#[cfg(unix)]
#[test]
fn bash_completes_names_of_the_manifest() {
    if !support::has_tool("bash") {
        return;
    }
    let (_directory, file) = completions("bash");
    let contoso = support::example("contoso");
    let place = contoso.path().display();
    let bin = env!("CARGO_BIN_EXE_certwright");
    let complete = |words: &str, current: &str, before: &str| {
        let count = words.split_whitespace().count() + 1;
        format!(
            "COMP_WORDS=({bin} {words} '{current}'); COMP_CWORD={count}; _certwright {bin} '{current}' '{before}'; \
             echo \"${{COMPREPLY[@]}}\"; "
        )
    };
    let script = [
        format!("source {file}; cd /; "),
        complete(&format!("plan {place} --server"), "EX", "--server"),
        complete(&format!("rollback --manifest {place} --certificate"), "", "--certificate"),
        complete(&format!("plan {place} --certificate"), "ma", "--certificate"),
        complete("plan /nonexistent --server", "", "--server"),
        complete("check --deny", "certificate-un", "--deny"),
        complete("explain", "expi", "explain"),
    ];
    let told = told("bash", &["--norc", "-c", &script.concat()]);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].contains("EX01") && lines[0].contains("EX02"), "{told}");
    assert!(lines[2].split(' ').any(|name| name == "mail"), "{told}");
    assert_eq!(lines[3], "", "{told}");
    assert!(lines[4].contains("certificate-unused") && lines[5].contains("expired"), "{told}");
    assert!(!told.contains("certwright-servers"), "{told}");
}

#[cfg(unix)]
#[test]
fn zsh_takes_the_completions() {
    if !support::has_tool("zsh") {
        return;
    }
    let (_directory, file) = completions("zsh");
    let told = told(
        "zsh",
        &[
            "-f",
            "-c",
            &format!("autoload -U compinit; compinit -D -u; source {file}; echo $_comps[certwright]"),
        ],
    );
    assert!(told.contains("_certwright"), "{told}");
    let script = fs::read_to_string(&file).unwrap();
    for kind in ["servers", "certificates", "connectors"] {
        assert!(!script.contains(&format!("certwright-{kind}")), "{kind} is not asked for");
        assert!(script.contains(&format!("{{_certwright_names {kind}}}")), "{kind}");
    }
    let contoso = support::example("contoso");
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_certwright")).parent().unwrap();
    // In the place of the shell's own, which works only while somebody presses a key.
    let script = format!(
        "path=({} $path); autoload -U compinit; compinit -D -u; source {file}; compadd() {{ print -l -- $names }}; \
         words=(plan {} --server ''); _certwright_names servers; words=(explain smtp {1} --connector ''); _certwright_names connectors",
        bin.display(),
        contoso.path().display()
    );
    let told = self::told("zsh", &["-f", "-c", &script]);
    assert!(told.contains("EX01") && told.contains("EX02"), "{told}");
}

/// What an interactive zsh lists when somebody asks for it.
#[cfg(unix)]
#[test]
fn zsh_lists_names_to_somebody_who_types() {
    if !support::has_tool("zsh") {
        return;
    }
    let (directory, file) = completions("zsh");
    let contoso = support::example("contoso");
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_certwright")).parent().unwrap();
    let script = directory.path().join("typed.zsh");
    fs::write(
        &script,
        format!(
            "zmodload zsh/zpty zsh/datetime || exit 3
             zpty -b typed 'TERM=xterm PS1= zsh -f -i'
             listed() {{
                 local seen= part= until=$(( EPOCHSECONDS + 20 ))
                 zpty -wn typed \"$1\"
                 while (( EPOCHSECONDS < until )); do
                     zpty -rt typed part && seen+=$part
                     [[ $seen == *$~2* ]] && {{ print -r -- found; return }}
                     sleep 0.05
                 done
                 print -r -- \"not found: ${{(q)seen}}\"
             }}
             listed $'path=({bin} $path); cd {place}; autoload -U compinit; compinit -D -u; source {file}; setopt noautomenu; print rea\"\"dy\\n' 'ready'
             listed $'certwright plan --server \\t\\t' 'EX01*EX02'
             listed $'\\x15certwright explain smtp --server EX01 --connector \\t\\t' 'Default*To*Fabrikam'
             listed $'\\x15certwright explain expir\\t\\t' 'expired*expires'
             zpty -d typed\n",
            bin = bin.display(),
            place = contoso.path().display(),
        ),
    )
    .unwrap();
    let told = told("zsh", &["-f", script.to_str().unwrap()]);
    assert_eq!(told.lines().collect::<Vec<_>>(), ["found"; 4], "{told}");
}

#[cfg(unix)]
#[test]
fn fish_completes() {
    if !support::has_tool("fish") {
        return;
    }
    let (_directory, file) = completions("fish");
    let told =
        told("fish", &["--no-config", "-c", &format!("source {file}; complete -C 'certwright plan --ag'")]);
    assert!(told.contains("--against"), "{told}");
}

#[cfg(unix)]
#[test]
fn fish_completes_names_of_the_manifest() {
    if !support::has_tool("fish") {
        return;
    }
    let (_directory, file) = completions("fish");
    let contoso = support::example("contoso");
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_certwright")).parent().unwrap();
    let script = format!(
        "set -x PATH {} $PATH; source {file}; complete -C 'certwright plan {} --server EX'",
        bin.display(),
        contoso.path().display()
    );
    let told = told("fish", &["--no-config", "-c", &script]);
    assert!(told.contains("EX01") && told.contains("EX02"), "{told}");
    let script =
        format!("source {file}; complete -C 'certwright explain expir'; complete -C 'certwright schema pla'");
    let told = self::told("fish", &["--no-config", "-c", &script]);
    assert_eq!(told.lines().collect::<Vec<_>>(), ["expired", "expires", "plan", "planned"], "{told}");
}

#[test]
fn powershell_completes() {
    if !support::has_tool("pwsh") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let output = support::certwright(&["completions", "powershell"], directory.path()).output().unwrap();
    assert!(output.status.success());
    fs::write(directory.path().join("completions.ps1"), &output.stdout).unwrap();
    let contoso = support::example("contoso");
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_certwright")).parent().unwrap();
    // A line as it is typed, and what is offered first.
    let lines = [
        ("certwright cal", "calendar"),
        ("certwright plan --ag", "--against"),
        ("certwright plan . --ag", "--against"),
        ("certwright plan --server EX", "EX01 EX02"),
        ("certwright plan --server=EX", "--server=EX01 --server=EX02"),
        ("certwright plan --certificate ", "mail transport"),
        ("certwright explain smtp --server EX01 --connector \"To", "'To Fabrikam'"),
        ("certwright plan --format js", "json"),
        ("certwright check --deny certificate-un", "certificate-unused"),
        ("certwright explain expir", "expired expires"),
        ("certwright lab cl", "clock"),
    ];
    let typed: Vec<String> = lines.iter().map(|(line, _)| format!("'{line}'")).collect();
    let script = format!(
        "$env:PATH = '{bin}' + [IO.Path]::PathSeparator + $env:PATH; Set-Location '{place}'; . '{directory}/completions.ps1'; \
         foreach ($line in {typed}) {{ \
         $found = TabExpansion2 -inputScript $line -cursorColumn $line.Length; \
         [Console]::Out.WriteLine(($found.CompletionMatches.CompletionText -join ' ')) }}",
        bin = bin.display(),
        place = contoso.path().display(),
        directory = directory.path().display(),
        typed = typed.join(", "),
    );
    let told = told("pwsh", &["-NoProfile", "-NonInteractive", "-Command", &script]);
    let wanted: Vec<&str> = lines.iter().map(|(_, wanted)| *wanted).collect();
    assert_eq!(told.lines().collect::<Vec<_>>(), wanted, "{told}");
}

#[test]
fn every_command_has_a_page() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("pages");
    let output =
        support::certwright(&["man", "--out", pages.to_str().unwrap()], directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for page in ["certwright", "certwright-plan", "certwright-lab-clock", "certwright-explain-smtp"] {
        let text = fs::read_to_string(pages.join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".TH") && text.contains(".SH NAME"), "{page}: {text}");
        assert!(text.contains(&page.replace('-', "\\-")), "{page}: {text}");
    }
    if support::has_tool("man") {
        let page = pages.join("certwright-plan.1");
        let told = told("man", &["-l", page.to_str().unwrap()]);
        assert!(told.contains("--against"), "{told}");
    }
}

/// Errors are for programs when the output is, and a run that has nothing to do says so.
#[test]
fn programs_get_json_whatever_happens() {
    let directory = tempfile::tempdir().unwrap();
    let failed =
        support::certwright(&["plan", "nowhere", "--format", "json"], directory.path()).output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    assert!(failed.stdout.is_empty());
    let error: serde_json::Value = serde_json::from_slice(&failed.stderr).unwrap();
    assert_eq!(error["error"]["exitCode"], 1);
    assert_eq!(error["error"]["summary"], "nowhere does not exist");
    let contoso = support::example("contoso");
    let run = |format: &str| {
        let arguments = ["apply", "--auto-approve", "--format", format];
        let output = support::certwright(&arguments, contoso.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run("human");
    let nothing: serde_json::Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(nothing["outcome"], "converged");
    let lines: Vec<serde_json::Value> =
        run("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines.iter().map(|line| line["event"].as_str().unwrap()).collect::<Vec<_>>(),
        ["begun", "closed"]
    );
}

#[test]
fn the_version_says_what_was_built() {
    let directory = tempfile::tempdir().unwrap();
    let output = support::certwright(&["--version"], directory.path()).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("target: ") && told.contains("rustc "), "{told}");
}

/// What `plan` prints into a pipe, and what it says beside it.
fn shown(arguments: &[&str], variables: &[(&str, &str)]) -> (String, String) {
    let directory = support::example("contoso");
    let mut command = support::certwright(&[&["plan"], arguments].concat(), directory.path());
    command.env_remove("COLUMNS").env_remove("NO_COLOR").env_remove("CERTWRIGHT_LOG");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Each lab has keys of its own, and so other thumbprints.
    let own = |word: &str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let words = text.split_inclusive(|char: char| !char.is_alphanumeric());
        words
            .map(|word| {
                if own(word.trim_end_matches(|char: char| !char.is_alphanumeric())) {
                    "THUMBPRINT "
                } else {
                    word
                }
            })
            .collect::<String>()
    };
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn colours_are_used_as_the_environment_and_the_command_line_say() {
    for (arguments, variables, coloured) in [
        (&[][..], &[][..], false),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&["--color", "always"], &[("NO_COLOR", "1"), ("TERM", "dumb")], true),
        (&["--color=never"], &[("CLICOLOR_FORCE", "1")], false),
        (&["--color=auto"], &[("CLICOLOR_FORCE", "1")], true),
    ] {
        let (out, _) = shown(arguments, variables);
        assert_eq!(out.contains('\u{1b}'), coloured, "{arguments:?} {variables:?}: {out}");
    }
}

#[test]
fn a_pipe_gets_whole_lines_and_whole_thumbprints() {
    let (piped, _) = shown(&[], &[]);
    assert!(piped.lines().any(|line| line.chars().count() > 100), "{piped}");
    assert!(!piped.contains('…') && piped.contains("THUMBPRINT"), "{piped}");
    let (narrow, _) = shown(&[], &[("COLUMNS", "60")]);
    assert!(narrow.lines().all(|line| line.chars().count() <= 60) && narrow.contains('…'), "{narrow}");
    assert_eq!(shown(&["--wide"], &[("COLUMNS", "60")]).0, piped);
}

/// Findings on a terminal, in a pipe, and on a terminal when no line is to be broken. Places and the lines of the file are whole
/// everywhere but on a terminal, which gets the part around the mark.
#[cfg(unix)]
#[test]
fn findings_are_broken_at_the_width_of_the_terminal() {
    if !support::has_tool("script") {
        return;
    }
    let directory = support::example("contoso");
    let manifest = fs::read_to_string(directory.path().join("manifest.yaml")).unwrap();
    let long = "limits: { serversAtOnse: 3 } # a comment that goes on and on, far beyond the eightieth column of any terminal\n";
    fs::write(directory.path().join("manifest.yaml"), format!("{manifest}{long}unknown: 1\n")).unwrap();
    let bin = env!("CARGO_BIN_EXE_certwright");
    let on_terminal = |arguments: &str| {
        let typed = format!("stty cols 80; exec {bin} check {arguments}");
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &typed, "/dev/null"]);
        for variable in ["COLUMNS", "CERTWRIGHT_LOG"] {
            command.env_remove(variable);
        }
        let output = command.env("NO_COLOR", "1").current_dir(directory.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
    };
    let (narrow, wide) = (on_terminal(""), on_terminal("--wide"));
    let too_long: Vec<&str> = narrow.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(too_long.is_empty(), "{too_long:#?}");
    assert!(wide.contains(long.trim_end()) && narrow.contains("[unknown-field]"), "{narrow}");
    let mut piped = support::certwright(&["check"], directory.path());
    let piped = piped.env_remove("COLUMNS").output().unwrap();
    let piped = String::from_utf8(piped.stdout).unwrap();
    assert!(wide.starts_with(&piped), "{wide}\n---\n{piped}");
    assert!(piped.lines().any(|line| line.starts_with("hint: ") && line.chars().count() > 80), "{piped}");
    // The excerpt is cut, not wrapped.
    let joined = |text: &str| {
        let told = text.lines().filter(|line| !line.contains(" | "));
        told.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    };
    assert!(joined(&narrow).starts_with(&joined(&piped)), "{narrow}");
}

#[test]
fn how_much_is_said_beside_the_output_can_be_chosen() {
    let (out, said) = shown(&[], &[]);
    assert!(!said.contains("observing the servers"), "{said}");
    for (arguments, variables) in
        [(&["--verbose"][..], &[][..]), (&["-v"], &[]), (&[], &[("CERTWRIGHT_LOG", "verbose")])]
    {
        let (same, said) = shown(arguments, variables);
        assert!(said.contains("observing the servers: ") && same == out, "{said}");
    }
    let directory = support::example("contoso");
    let apply = support::certwright(&["apply", "--auto-approve", "-q"], directory.path()).output().unwrap();
    assert!(apply.status.success());
    assert_eq!(String::from_utf8_lossy(&apply.stderr), "");
}
