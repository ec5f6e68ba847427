use super::*;

fn facts(kind: Option<&str>, fqid: &str, category: &str, type_name: &str, cmdlet: &str) -> Facts {
    Facts {
        message: "qu'importe".into(),
        kind: kind.map(Into::into),
        fqid: fqid.into(),
        category: category.into(),
        types: vec![type_name.into(), "System.Exception".into()],
        cmdlet: cmdlet.into(),
        code: None,
        mutated: Some(Mutated::No),
    }
}

fn numbered(code: i64) -> Facts {
    Facts {
        code: Some(code),
        ..facts(None, "PSRemotingDataStructureException", "OpenError", TRANSPORT, "open")
    }
}

#[test]
fn errors_are_told_by_what_they_are() {
    for (expected, facts) in [
        (
            AnswerKind::InUse,
            facts(Some("in_use"), "x", "OperationStopped", "System.InvalidOperationException", ""),
        ),
        (
            AnswerKind::CmdletUnavailable,
            facts(
                None,
                "CommandNotFoundException",
                "ObjectNotFound",
                "System.Management.Automation.CommandNotFoundException",
                "Set-AuthConfig",
            ),
        ),
        (
            AnswerKind::ParameterUnavailable,
            facts(
                None,
                "NamedParameterNotFound,Microsoft.Exchange.X",
                "InvalidArgument",
                "System.Management.Automation.ParameterBindingException",
                "Set-ReceiveConnector",
            ),
        ),
        (
            AnswerKind::NotImportable,
            facts(
                None,
                "[Server=EX01,RequestId=1,TimeStamp=29/01/2021 18:57:49] [FailureCategory=Cmdlet-InvalidOperationException] A39CF339,Microsoft.Exchange.Management.SystemConfigurationTasks.ImportExchangeCertificate",
                "ReadError",
                "System.InvalidOperationException",
                "Import-ExchangeCertificate",
            ),
        ),
        (
            AnswerKind::NotExportable,
            facts(
                None,
                "A1,Microsoft.Exchange.Management.SystemConfigurationTasks.ExportExchangeCertificate",
                "ReadError",
                "System.InvalidOperationException",
                "Export-ExchangeCertificate",
            ),
        ),
        (
            AnswerKind::AuthenticationFailed,
            facts(None, "5,PSSessionOpenFailed", "OpenError", TRANSPORT, "open"),
        ),
        (
            AnswerKind::EndpointNotFound,
            facts(None, "-2144108485,PSSessionOpenFailed", "OpenError", TRANSPORT, "open"),
        ),
        (
            AnswerKind::Unreachable,
            facts(None, "-2144108526,PSSessionOpenFailed", "OpenError", TRANSPORT, "open"),
        ),
        (AnswerKind::AuthenticationFailed, numbered(1326)),
        (AnswerKind::AuthenticationFailed, numbered(-2_144_108_101)),
        (AnswerKind::EndpointNotFound, numbered(-2_144_108_269)),
        (AnswerKind::EndpointNotFound, numbered(-2_144_108_485)),
        (AnswerKind::AccessDenied, numbered(-2_144_108_061)),
        (AnswerKind::TooManySessions, numbered(-2_144_108_060)),
        (AnswerKind::TooManySessions, numbered(-2_144_108_123)),
        (AnswerKind::ConnectionLost, numbered(-2_144_108_453)),
        (AnswerKind::Unreachable, numbered(-2_144_108_526)),
        (AnswerKind::Unreachable, numbered(0)),
        (
            AnswerKind::Other,
            facts(None, "23FA4F48,X", "InvalidArgument", "System.InvalidOperationException", "X"),
        ),
    ] {
        assert_eq!(facts.kind(), expected, "{facts:?}");
    }
}

proptest::proptest! {
    /// Whatever is sent, it is an answer or an error, and what is shown of it is bounded and plain.
    #[test]
    fn any_bytes_are_an_answer_or_an_error(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        at in 0..150_usize,
        by in proptest::prelude::any::<u8>(),
    ) {
        let mut good = br#"{"v":1,"id":7,"ok":false,"error":{"message":"x","kind":null,"types":["a"],"mutated":"no","fqid":"5,A"},"would":["b"]}"#.to_vec();
        if let Some(byte) = good.get_mut(at) {
            *byte = by;
        }
        for answer in [bytes, good] {
            for secrets in [&[][..], &[Secret::new(b"x".to_vec())]] {
                if let Err(error) = read::<serde_json::Value>("ex01", 7, &answer, secrets) {
                    let said = error.to_string();
                    proptest::prop_assert!(said.len() < 2 * LONGEST_LINE + 200);
                    proptest::prop_assert!(!said.contains(|shown: char| shown.is_control()), "{:?}", said);
                }
            }
        }
    }
}

#[test]
fn an_answer_to_another_request_is_none() {
    let json = br#"{"v":1,"id":6,"ok":true,"result":{}}"#;
    let read = read::<serde_json::Value>("ex01", 7, json, &[]);
    assert!(matches!(read, Err(PowerShellError::Protocol { .. })));
}
