//! What `certwright --version` says of a build. Nothing of it changes from build to build of the same sources with the same
//! tools, so that builds can be compared.
#![allow(
    clippy::disallowed_methods,
    reason = "a build is asked for by its environment, and the compiler for its version"
)]

use std::{env, process::Command};

fn main() {
    println!("cargo::rerun-if-env-changed=CERTWRIGHT_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let commit = env::var("CERTWRIGHT_COMMIT").unwrap_or_else(|_| "not said".to_owned());
    let target = env::var("TARGET").unwrap_or_else(|_| "unknown".to_owned());
    let compiler =
        env::var("RUSTC").ok().and_then(|compiler| Command::new(compiler).arg("--version").output().ok());
    let compiler = compiler.map_or_else(
        || "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    println!("cargo::rustc-env=CERTWRIGHT_COMMIT={commit}");
    println!("cargo::rustc-env=CERTWRIGHT_TARGET={target}");
    println!("cargo::rustc-env=CERTWRIGHT_RUSTC={compiler}");
}
