"""Records a session of psrpcore's client with the server of tests/peers/psrp.py, in the format of the captures of real
engines: every line in both directions, and what the client understood. Run it with the Python of those tests:

    target/remoting-peer/bin/python -B tests/wire_captures/psrpcore/record.py
"""

import base64
import hashlib
import json
import pathlib
import sys
import uuid

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent.parent / "peers"))
sys.argv = sys.argv[:1]

import psrp as peer  # noqa: E402
import psrpcore  # noqa: E402
from psrpcore import types as ps  # noqa: E402

LINES, EXPECTED = [], []
NOBODY = "00000000-0000-0000-0000-000000000000"


def line(side, text):
    LINES.append(json.dumps({"from": side, "line": text}))


class Recorder:
    def __init__(self):
        host = ps.HostInfo(IsHostNull=False, IsHostUINull=False, UseRunspaceHost=False)
        self.client = psrpcore.ClientRunspacePool(host=host)
        self.server = None
        self.client.open()
        for event in self.exchange():
            EXPECTED.append({"scenario": "open", "event": type(event).__name__})

    def exchange(self):
        """Carries everything both ways, and returns what the client made of it."""
        events = []
        while payload := self.client.data_to_send():
            guid = str(payload.pipeline_id or NOBODY)
            stream = "Default" if payload.stream_type == psrpcore.StreamType.default else "PromptResponse"
            line("client", f"<Data Stream='{stream}' PSGuid='{guid}'>{base64.b64encode(payload.data).decode()}</Data>")
            if self.server is None:
                self.server = peer.Shell(payload.data)
            else:
                self.server.input(payload.data)
        for key, chunks in self.server.output.items():
            guid = NOBODY if key is None else key.lower()
            pipeline = None if key is None else uuid.UUID(key)
            for data in chunks:
                line("server", f"<Data Stream='Default' PSGuid='{guid}'>{base64.b64encode(data).decode()}</Data>")
                self.client.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, pipeline))
            chunks.clear()
        while event := self.client.next_event():
            events.append(event)
        return events

    def run(self, scenario, cmdlet, answer=None, **parameters):
        pipeline = psrpcore.ClientPowerShell(self.client)
        pipeline.add_command(cmdlet)
        for name, value in parameters.items():
            pipeline.add_parameter(name, value)
        self.server.commands[str(pipeline.pipeline_id).upper()] = psrpcore.ServerPipeline(
            self.server.pool, pipeline.pipeline_id)
        pipeline.start()
        heard = {"scenario": scenario, "pipeline": str(pipeline.pipeline_id), "output": [], "errors": [], "warnings": [],
                 "verbose": [], "information": [], "progress": 0, "prompts": []}
        events = self.exchange()
        while events:
            event = events.pop(0)
            name = type(event).__name__
            if name == "PipelineOutputEvent":
                heard["output"].append(plain(event.data))
            elif name == "ErrorRecordEvent":
                heard["errors"].append(error(event.record))
            elif name == "WarningRecordEvent":
                heard["warnings"].append(str(event.record.Message))
            elif name == "VerboseRecordEvent":
                heard["verbose"].append(str(event.record.Message))
            elif name == "InformationRecordEvent":
                heard["information"].append(str(event.record.MessageData))
            elif name == "ProgressRecordEvent":
                heard["progress"] += 1
            elif name == "PipelineHostCallEvent":
                call = {"method": event.method_identifier.name, "call_id": event.ci,
                        "parameters": [plain(item) for item in event.method_parameters], "answered": answer}
                heard["prompts"].append(call)
                pipeline.host_response(event.ci, answer)
                events += self.exchange()
            elif name == "PipelineStateEvent" and event.state != ps.PSInvocationState.Running:
                heard["state"] = event.state.name
                if event.reason is not None:
                    heard["reason"] = error(event.reason)
        EXPECTED.append(heard)

    def key(self):
        self.client.exchange_key()
        self.exchange()
        key = self.server.pool._session_key.hex()
        EXPECTED.append({"scenario": "session-key", "aes256_key_hex": key})

    def close(self):
        for state in ("Closing", "Closed"):
            self.server.pool._change_state(ps.RunspacePoolState[state])
        with self.server.lock:
            self.server.flush()
        self.exchange()


def plain(value):
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (bytes, ps.PSByteArray)):
        return {"$bytes": len(value), "sha256": hashlib.sha256(bytes(value)).hexdigest()}
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    properties = value.PSObject.adapted_properties + value.PSObject.extended_properties
    return {"$type": list(value.PSTypeNames),
            "props": {item.name: plain(getattr(value, item.name)) for item in properties}}


def error(record):
    category = record.CategoryInfo
    return {"message": str(record.Exception.Message), "fqid": str(record.FullyQualifiedErrorId),
            "category": category.Category.name, "reason": str(category.Reason),
            "target": None if record.TargetObject is None else str(record.TargetObject),
            "types": [name if name.startswith("Deserialized.") else f"Deserialized.{name}"
                      for name in record.Exception.PSTypeNames]}


def main():
    session = Recorder()
    session.run("list", "Get-ExchangeCertificate")
    session.run("unknown-cmdlet", "Get-Process")
    session.run("arguments", "Test-Echo", Name="'; $(Get-Process) \"`n‘’“😀\x00\x1b _x0041_ <&>\r\n",
                Services=["IIS", "SMTP"], FileData=b"\x00\x01\xff", Force=True, Count=-7)
    session.run("streams", "Test-Streams", Bytes=40_000)
    session.run("prompt-answered-no", "Enable-ExchangeCertificate", answer=2, Services=["SMTP"])
    session.key()
    session.run("secure-string", "Test-Echo", Password=ps.PSSecureString("Zürich 😀 pässword"))
    session.close()
    (FOLDER / "session.jsonl").write_text("\n".join(LINES) + "\n")
    (FOLDER / "session.expected.json").write_text(json.dumps(EXPECTED, indent=1) + "\n")


main()
