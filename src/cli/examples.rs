//! The ends of help texts: what each command looks like when it is typed, and how all of them end.

pub(super) const CHECK: &str = "\
Examples:
  certwright check .
  certwright check contoso fabrikam --warnings-as-errors
  certwright check . --format github --report sarif=check.sarif
  certwright check . --baseline baseline.json
  certwright check . --stdin --stdin-filename manifest.yaml < manifest.yaml";

pub(super) const OBSERVE: &str = "\
Examples:
  certwright observe examples/contoso
  certwright observe . --out capture/observed.json
  certwright observe --print-script > capture.ps1";

pub(super) const PLAN: &str = "\
Examples:
  certwright plan examples/contoso
  certwright plan . --out plan.json
  certwright plan . --server EX01 --certificate mail
  certwright plan . --capture capture --rehearse
  certwright plan . --format powershell > change.ps1
  certwright plan . --against origin/main --format markdown > comment.md";

pub(super) const SHOW: &str = "\
Examples:
  certwright show plan.json
  certwright show plan.json --format markdown --max-bytes 65535";

pub(super) const APPLY: &str = "\
Examples:
  certwright apply examples/contoso
  certwright apply plan.json --auto-approve
  certwright apply plan.json --manifest organizations/contoso
  certwright apply . --server EX01 --lock-timeout 10m";

pub(super) const ROLLBACK: &str = "\
Examples:
  certwright rollback
  certwright rollback 20260302T091407Z --manifest examples/contoso";

pub(super) const HISTORY: &str = "\
Examples:
  certwright history --manifest examples/contoso
  certwright history 20260302T091407Z --format json";

pub(super) const VERIFY: &str = "\
Examples:
  certwright verify examples/contoso --report html=verdict.html
  certwright verify --endpoint smtp://mail.contoso.com:25 --name mail.contoso.com
  certwright verify . --roots corp-root.pem --no-system-roots";

pub(super) const DRIFT: &str = "\
Examples:
  certwright drift examples/contoso
  certwright drift . --interval 15m --prometheus certwright.prom
  certwright drift . --ignore \"EX02/*\"";

pub(super) const STATUS: &str = "\
Examples:
  certwright status
  certwright status organizations/contoso organizations/fabrikam --format json";

pub(super) const CALENDAR: &str = "\
Examples:
  certwright calendar --ahead 90d
  certwright calendar . --capture capture --report ics=certificates.ics
  certwright calendar . --now 2027-03-15T00:00:00Z --until 2029-12-31T00:00:00Z";

pub(super) const REHEARSE: &str = "\
Examples:
  certwright rehearse . --until 2029-12-31T00:00:00Z
  certwright rehearse contoso fabrikam --until 2029-12-31T00:00:00Z";

pub(super) const EXPLAIN: &str = "\
Examples:
  certwright explain
  certwright explain wildcard-on-pop-or-imap
  certwright explain 12014
  certwright explain \"takes precedence\"
  certwright explain smtp examples/contoso --server EX01";

pub(super) const EXPLAIN_SMTP: &str = "\
Examples:
  certwright explain smtp examples/contoso --server EX01
  certwright explain smtp --capture observed.json --server EX01 --fqdn mail.contoso.com";

pub(super) const FMT: &str = "\
Examples:
  certwright fmt
  certwright fmt --check --diff organizations/contoso
  certwright fmt --stdin < manifest.yaml";

pub(super) const INIT: &str = "\
Examples:
  certwright init
  certwright init contoso --server ex01.contoso.com --name mail.contoso.com
  certwright init demo --driver lab --pipeline github";

pub(super) const COMPLETIONS: &str = "\
Examples:
  certwright completions bash > /etc/bash_completion.d/certwright
  certwright completions zsh > ~/.zfunc/_certwright
  certwright completions fish > ~/.config/fish/completions/certwright.fish
  certwright completions powershell >> $PROFILE";

pub(super) const MAN: &str = "\
Examples:
  certwright man | man -l -
  certwright man --out /usr/local/share/man/man1";

pub(super) const IMPORT: &str = "\
Examples:
  certwright import capture
  certwright import capture/observed.json --out manifest.yaml";

pub(super) const LAB: &str = "\
Examples:
  certwright lab serve examples/contoso
  certwright lab clock examples/contoso --advance 30d
  certwright lab answer examples/contoso
  certwright lab reset examples/contoso
  certwright lab from capture lab";

pub(super) const SCHEMA: &str = "\
Examples:
  certwright schema > manifest.schema.json
  certwright schema verdict";

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do
  1  an error
  2  changes are pending (plan --detailed-exitcode, drift)
  3  the manifest has findings
  4  an endpoint does not serve what it should
  5  the plan is stale
  6  the run stopped part-way
  7  the run waits for something outside
  8  another run holds the lock
  9  a limit of the manifest is exceeded
 10  something that the manifest asks for cannot be done
 11  an unfinished run is in the way
 64  the command line is wrong";

pub(super) const DOCTOR: &str = "\
Examples:
  certwright doctor
  certwright doctor contoso.yaml --format json > doctor.json

It names servers, accounts' rights and versions, and holds no secret.";
