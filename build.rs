//! What `certwright --version` says of a build, and the schemas that the program carries. Nothing of it changes from build to
//! build of the same sources with the same tools, so that builds can be compared.
#![allow(
    clippy::disallowed_methods,
    reason = "a build is asked for by its environment, the compiler for its version, and the schemas are files"
)]

use std::{env, fs, io::Write, path::PathBuf, process::Command};

use flate2::{Compression, write::DeflateEncoder};
use sha2::{Digest, Sha256};

fn main() {
    println!("cargo::rerun-if-env-changed=CERTWRIGHT_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let commit = env::var("CERTWRIGHT_COMMIT").unwrap_or_else(|_| "unknown".to_owned());
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
    println!("cargo::rustc-env=CERTWRIGHT_DRIVER_SHA256={}", driver_sha256());
    link_small(&target, &compiler);

    println!("cargo::rerun-if-changed=schemas");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    for schema in fs::read_dir("schemas").expect("the schemas are part of the sources") {
        let schema = schema.expect("the directory can be read");
        let text = fs::read_to_string(schema.path()).expect("a schema is a text");
        let packed = packed(&in_one_line(&text)).expect("memory takes what is written");
        let name = schema.path().with_extension("deflate");
        fs::write(out.join(name.file_name().expect("a file has a name")), packed)
            .expect("cargo lets us write there");
    }
}

/// The SHA-256 of the PowerShell driver: of its parts, which `script.rs` names in their order.
fn driver_sha256() -> String {
    println!("cargo::rerun-if-changed=src/drivers/powershell/script.rs");
    let place = PathBuf::from("src/drivers/powershell");
    let list = fs::read_to_string(place.join("script.rs")).expect("the driver is part of the sources");
    let parts = list.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let texts = parts.map(|part| {
        println!("cargo::rerun-if-changed=src/drivers/powershell/{part}");
        fs::read_to_string(place.join(part)).expect("a part is a text")
    });
    let script = texts.collect::<Vec<_>>().join("\n");
    let digest = Sha256::digest(script);
    digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A sixth less to carry: equal functions are kept once, and where a panic ends the program, nothing reads the tables for unwinding.
///
/// Only LLD knows both. It links where a toolchain of rustup brings it along (from 1.90 on, on Linux x86_64) and nobody chose another.
fn link_small(target: &str, compiler: &str) {
    let set = |name: &str| env::var(name).is_ok_and(|value| !value.is_empty());
    let minor = compiler.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    let brings_lld = env::var_os("RUSTC")
        .and_then(|rustc| {
            Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output().ok()
        })
        .is_some_and(|output| {
            let libraries = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
            libraries.with_file_name("bin").join("gcc-ld/ld.lld").is_file()
        });
    let chosen =
        set("RUSTC_LINKER") || env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| names_linker(&flags));
    if target != "x86_64-unknown-linux-gnu"
        || env::var("PROFILE").as_deref() != Ok("release")
        || minor < Some(90)
        || !brings_lld
        || chosen
    {
        return;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let without_tables = out.join("without-tables.ld");
    fs::write(
        &without_tables,
        "SECTIONS { /DISCARD/ : { *(.eh_frame) *(.eh_frame_hdr) *(.gcc_except_table*) } } INSERT AFTER .comment\n",
    )
    .expect("cargo lets us write there");
    println!("cargo::rustc-link-arg-bins=-Wl,--icf=all,-T,{}", without_tables.display());
}

/// Whether somebody has chosen a linker, or passes it what only theirs may know.
fn names_linker(flags: &str) -> bool {
    flags.contains("linker") || flags.contains("fuse-ld")
}

/// Less than a tenth of it: schemas repeat themselves.
fn packed(text: &str) -> std::io::Result<Vec<u8>> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(text.as_bytes())?;
    packed.finish()
}

/// JSON without the white space between its parts, which is two fifths of it.
fn in_one_line(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let stays = |char: &char| {
        let stays = quoted || !char.is_ascii_whitespace();
        quoted ^= *char == '"' && !escaped;
        escaped = *char == '\\' && !escaped;
        stays
    };
    json.chars().filter(stays).collect()
}
