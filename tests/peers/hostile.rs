//! Values that every channel has to carry as they are.

/// Texts that try to be something else.
pub(crate) fn hostile() -> Vec<String> {
    let mut texts: Vec<String> = [
        "it's",
        "a\u{2019}b\u{2018}c\u{201a}d\u{201c}e\u{201e}f",
        "\"; Remove-Item C:\\ -Recurse #",
        "$(calc) ${env:PATH} `n $null",
        "line\r\nline\nline\ttab",
        "Z\u{fc}rich \u{1f600} \u{65e5}\u{672c} \u{5d0}\u{200f}",
        "\u{2028}\u{2029}\u{85}\u{a0}",
        "/Date(0)/ 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z",
        "{\"$secret\":0}",
        "@'\n'@ #> <# %{} | & && ||",
        "\\ \\u0041 \\x41 _x0041_",
        "<Ref RefId=\"0\" /> ]]> &amp; &#x41;",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("x\u{e9}".repeat(30 << 10));
    texts
}
