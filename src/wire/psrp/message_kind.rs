//! What a message is (MS-PSRP section 2.2.1).

/// Defines the enum and both directions of its numbers from one list.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// What a message is (MS-PSRP section 2.2.1, `MessageType`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum MessageKind {
            $($(#[$doc])* $name = $number,)*
        }

        impl MessageKind {
            /// The kind of this number.
            pub(super) fn of(number: u32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// SESSION_CAPABILITY, in both directions.
    SessionCapability = 0x0001_0002,
    /// INIT_RUNSPACEPOOL, to the server.
    InitRunspacePool = 0x0001_0004,
    /// PUBLIC_KEY, to the server.
    PublicKey = 0x0001_0005,
    /// ENCRYPTED_SESSION_KEY.
    EncryptedSessionKey = 0x0001_0006,
    /// PUBLIC_KEY_REQUEST.
    PublicKeyRequest = 0x0001_0007,
    /// RUNSPACEPOOL_STATE.
    RunspacePoolState = 0x0002_1005,
    /// CREATE_PIPELINE, to the server.
    CreatePipeline = 0x0002_1006,
    /// RUNSPACE_AVAILABILITY.
    RunspaceAvailability = 0x0002_1007,
    /// USER_EVENT.
    UserEvent = 0x0002_1008,
    /// APPLICATION_PRIVATE_DATA.
    ApplicationPrivateData = 0x0002_1009,
    /// RUNSPACEPOOL_INIT_DATA.
    RunspacePoolInitData = 0x0002_100b,
    /// RUNSPACEPOOL_HOST_CALL.
    RunspacePoolHostCall = 0x0002_1100,
    /// RUNSPACEPOOL_HOST_RESPONSE, to the server.
    RunspacePoolHostResponse = 0x0002_1101,
    /// PIPELINE_OUTPUT.
    PipelineOutput = 0x0004_1004,
    /// ERROR_RECORD.
    ErrorRecord = 0x0004_1005,
    /// PIPELINE_STATE.
    PipelineState = 0x0004_1006,
    /// DEBUG_RECORD.
    DebugRecord = 0x0004_1007,
    /// VERBOSE_RECORD.
    VerboseRecord = 0x0004_1008,
    /// WARNING_RECORD.
    WarningRecord = 0x0004_1009,
    /// PROGRESS_RECORD.
    ProgressRecord = 0x0004_1010,
    /// INFORMATION_RECORD.
    InformationRecord = 0x0004_1011,
    /// PIPELINE_HOST_CALL.
    PipelineHostCall = 0x0004_1100,
    /// PIPELINE_HOST_RESPONSE, to the server.
    PipelineHostResponse = 0x0004_1101,
}
