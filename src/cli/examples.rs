//! The ends of help texts: what each command looks like when it is typed, and how all of them end.

pub(super) const CHECK: &str = "\
Examples:
  certwright check .
  certwright check manifests/ --strict --format json";

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
  certwright plan . --format powershell > change.ps1";

pub(super) const APPLY: &str = "\
Examples:
  certwright apply examples/contoso
  certwright apply plan.json --auto-approve
  certwright apply . --server EX01 --lock-timeout 600";

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

pub(super) const IMPORT: &str = "\
Examples:
  certwright import capture
  certwright import capture/observed.json --out manifest.yaml";

pub(super) const LAB: &str = "\
Examples:
  certwright lab serve examples/contoso
  certwright lab clock examples/contoso --advance 30d
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
  6  the run stopped part-way, or something is blocked
  7  the run waits for something outside
 64  the command line is wrong";

pub(super) const DOCTOR: &str = "\
Examples:
  certwright doctor
  certwright doctor contoso.yaml --format json > doctor.json

It names servers, accounts' rights and versions, and holds no secret.";
