//! Every reader of foreign bytes, over inputs that were good before something happened to them: no panic, and nothing
//! larger than its bounds. The same entrances are open to a fuzzer under `fuzz/`.

use certwright::wire::{
    psrp::{Guid, Host, RunspacePool, Source},
    wsman::{Sealed, answer, http::ResponseReader, sealed},
};
use proptest::prelude::*;

/// Something that happens to bytes.
#[derive(Clone, Debug)]
enum Change {
    Put(usize, u8),
    Remove(usize, usize),
    Repeat(usize, usize),
    Cut(usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = 0..4096_usize;
    let change = prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Put(at, byte)),
        (at.clone(), 1..64_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        (at.clone(), 1..64_usize).prop_map(|(at, count)| Change::Repeat(at, count)),
        at.prop_map(Change::Cut),
    ];
    prop::collection::vec(change, 1..6)
}

fn changed(good: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for change in changes {
        let length = bytes.len().max(1);
        match *change {
            Change::Put(at, byte) if !bytes.is_empty() => bytes[at % length] = byte,
            Change::Put(_, byte) => bytes.push(byte),
            Change::Remove(at, count) => {
                let at = at % length;
                bytes.drain(at.min(bytes.len())..(at + count).min(bytes.len()));
            }
            Change::Repeat(at, count) => {
                let piece: Vec<u8> = bytes.iter().skip(at % length).take(count).copied().collect();
                bytes.splice(at % length..at % length, piece);
            }
            Change::Cut(at) => bytes.truncate(at % length),
        }
    }
    bytes
}

fn message(kind: u32, pool: Guid, xml: &str) -> Vec<u8> {
    let message =
        [&1_u32.to_le_bytes()[..], &kind.to_le_bytes(), &pool.to_wire(), &[0; 16], xml.as_bytes()].concat();
    let length = u32::try_from(message.len()).unwrap();
    [&1_u64.to_be_bytes()[..], &0_u64.to_be_bytes(), &[3], &length.to_be_bytes(), &message].concat()
}

fn session(pool: Guid) -> Vec<u8> {
    [
        message(0x0001_0002, pool, "<Obj RefId='0'><MS><Version N='protocolversion'>2.3</Version></MS></Obj>"),
        message(
            0x0002_1100,
            pool,
            "<Obj RefId='0'><MS><I64 N='ci'>-100</I64><Obj N='mi' RefId='1'><ToString>WriteLine2</ToString><I32>16</I32>\
             </Obj><Obj N='mp' RefId='2'><LST><S>hello</S></LST></Obj></MS></Obj>",
        ),
        message(0x0001_0006, pool, "<Obj RefId='0'><MS><S N='EncryptedSessionKey'>AQIAABBmAAAApAAA</S></MS></Obj>"),
        message(0x0002_1005, pool, "<Obj RefId='0'><MS><I32 N='RunspaceState'>2</I32></MS></Obj>"),
    ]
    .concat()
}

const ANSWER: &str = "<s:Envelope xmlns:s='x'><s:Header><a:RelatesTo>uuid:00000000-0000-0000-0000-000000000000\
     </a:RelatesTo></s:Header><s:Body><rsp:ReceiveResponse><rsp:Stream Name='stdout' CommandId='C'>AAEC</rsp:Stream>\
     <rsp:CommandState CommandId='C' State='http://x/CommandState/Done'/></rsp:ReceiveResponse><s:Fault><s:Code><s:Subcode>\
     <s:Value>w:TimedOut</s:Value></s:Subcode></s:Code><s:Detail><f:WSManFault Code='2150858793'><f:Message>no &amp; no\
     </f:Message></f:WSManFault></s:Detail></s:Fault></s:Body></s:Envelope>";

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn fragments_and_messages(changes in changes(), step in 1..300_usize) {
        let pool = Guid::from_random([7; 16]);
        let bytes = changed(&session(pool), &changes);
        let mut reader = RunspacePool::new(pool, Host::None, 1 << 16);
        reader.open().unwrap();
        for piece in bytes.chunks(step) {
            let Ok(events) = reader.take(Source::Pool, piece) else { break };
            prop_assert!(events.len() <= piece.len());
        }
    }

    #[test]
    fn envelopes(changes in changes()) {
        let bytes = changed(ANSWER.as_bytes(), &changes);
        let _ = (answer::created(&bytes, Guid::NIL), answer::command_created(&bytes, Guid::NIL));
        let _ = (answer::done(&bytes, Guid::NIL), answer::fault(&bytes));
        if let Ok(received) = answer::received(&bytes, Guid::NIL) {
            prop_assert!(received.streams.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < bytes.len());
        }
    }

    #[test]
    fn responses(changes in changes(), step in 1..300_usize, chunked in any::<bool>()) {
        let body = "5\r\nhello\r\n0\r\n\r\n";
        let framing = if chunked { "Transfer-Encoding: chunked" } else { "Content-Length: 15" };
        let head = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Kerberos AQID";
        let bytes = changed(format!("{head}\r\n{framing}\r\n\r\n{body}").as_bytes(), &changes);
        let mut reader = ResponseReader::new(64);
        for piece in bytes.chunks(step) {
            match reader.take(piece) {
                Ok(None) => (),
                Ok(Some(response)) => {
                    prop_assert!(response.body.len() <= 64);
                    return Ok(());
                }
                Err(_) => return Ok(()),
            }
        }
        let _ = reader.end();
    }

    #[test]
    fn sealed_bodies(changes in changes()) {
        let good = Sealed { header: vec![1; 60], data: vec![2; 200], plain_length: 200 };
        let bytes = changed(&good.write(), &changes);
        if let Ok(read) = Sealed::read(&sealed::content_type(), &bytes) {
            prop_assert!(read.header.len() + read.data.len() < bytes.len());
        }
    }
}
