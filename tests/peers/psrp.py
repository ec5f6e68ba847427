"""A PowerShell endpoint for tests: WS-Management and HTTP of its own, PSRP of psrpcore, Kerberos of the system.

It shares no code with certwright, so that both have to have read the same specifications. Its cmdlets are stand-ins:
just enough behaviour to see that arguments, streams, prompts and errors arrive. It prints its port and serves until
its standard input ends.
"""

import argparse
import base64
import hashlib
import http.server
import json
import os
import pathlib
import re
import ssl
import struct
import subprocess
import sys
import threading
import time
import uuid
import xml.etree.ElementTree as ET

import psrpcore
from psrpcore import types as ps

RSP = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
WSMAN = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
WSA = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"

DEFAULT_SMTP = (
    "Overwrite the existing default SMTP certificate?\r\n\r\nCurrent certificate: 'AA' (expires 12/30/2027)\r\n"
    "Replace it with certificate: 'BB' (expires 1/5/2028)"
)


class Fault(Exception):
    def __init__(self, code, subcode, message):
        super().__init__(message)
        self.code, self.subcode, self.message = code, subcode, message


def net_error(type_name, message):
    error = ps.NETException(Message=message)
    error.PSObject.type_names = [type_name, "System.SystemException", *error.PSTypeNames]
    return error


def record(type_name, message, identifier, category, reason, target=None):
    return ps.ErrorRecord(
        Exception=net_error(type_name, message),
        CategoryInfo=ps.ErrorCategoryInfo(Category=category, Reason=reason),
        TargetObject=target,
        FullyQualifiedErrorId=identifier,
    )


class Shell:
    """A shell with its runspace pool, and what waits to be received."""

    def __init__(self, opening):
        self.id = str(uuid.uuid4()).upper()
        self.pool = psrpcore.ServerRunspacePool()
        self.lock = threading.Condition()
        self.output = {None: []}
        self.commands = {}  # what WS-Management calls them -> pipeline
        self.done = set()
        self.waiting = {}  # call id -> what to do with the answer
        self.input(opening)

    def input(self, data):
        with self.lock:
            self.pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, None))
            while event := self.pool.next_event():
                if isinstance(event, psrpcore.CreatePipelineEvent):
                    self.run(event)
                elif isinstance(event, psrpcore.PipelineHostResponseEvent):
                    self.waiting.pop(event.ci)(event.result)
            self.flush()

    def flush(self):
        while payload := self.pool.data_to_send(ARGUMENTS.fragment):
            key = None if payload.pipeline_id is None else str(payload.pipeline_id).upper()
            self.output.setdefault(key, []).append(payload.data)
        self.lock.notify_all()

    def receive(self, command, seconds):
        until = time.monotonic() + seconds
        with self.lock:
            while not self.output.get(command):
                if command is not None and command not in self.commands:
                    raise Fault(2150858843, "InvalidSelectors", "no such command")
                if not self.lock.wait(until - time.monotonic()):
                    raise Fault(2150858793, "TimedOut", "The WS-Management service cannot complete the operation.")
            chunks = self.output[command][:4]
            del self.output[command][:4]
            return chunks, command in self.done and not self.output[command]

    # -- cmdlets ------------------------------------------------------------------------------------------------

    def run(self, event):
        pipeline = self.pool.pipeline_table[event.pipeline_id]
        pipeline.start()
        host = pipeline.metadata.host
        host = self.pool.host if host.UseRunspaceHost else host
        calls = [(call.command_text, dict(call.parameters)) for call in pipeline.metadata.commands]
        if any(call.is_script for call in pipeline.metadata.commands):
            self.fail(pipeline, record(
                "System.Management.Automation.ParseException", "no scripts", "ScriptsNotAllowed",
                ps.ErrorCategory.ParserError, "ParseException"))
            return
        name, arguments = calls[0]
        if EXCHANGE:
            ARGUMENTS.running = name
            shown = EXCHANGE.call(name, arguments, host, calls[1:])
            if shown is not NotImplemented:
                if shown == "prompt":
                    self.ask(pipeline, host, 3, always=True)
                    return
                if callable(shown):
                    self.ask(pipeline, host, 4, after=shown)
                    return
                for item in shown if not isinstance(shown, ps.ErrorRecord) else []:
                    pipeline.write_output(item)
                if isinstance(shown, ps.ErrorRecord):
                    self.fail(pipeline, shown)
                else:
                    self.end(pipeline)
                return
        cmdlet = None if EXCHANGE else getattr(self, name.replace("-", "_").lower(), None)
        if cmdlet is None:
            self.fail(pipeline, record(
                "System.Management.Automation.CommandNotFoundException", f"The term '{name}' is not recognized.",
                "CommandNotFoundException", ps.ErrorCategory.ObjectNotFound, "CommandNotFoundException", name))
            return
        cmdlet(pipeline, arguments, host, calls[1:])

    def end(self, pipeline):
        pipeline.complete()
        self.done.add(str(pipeline.pipeline_id).upper())

    def fail(self, pipeline, error):
        pipeline._change_state(ps.PSInvocationState.Failed, error=error)
        self.done.add(str(pipeline.pipeline_id).upper())

    def get_exchangecertificate(self, pipeline, arguments, host, after):
        for thumbprint, services in [("AA", 19), ("BB", 8)]:
            if arguments.get("Thumbprint", thumbprint) == thumbprint:
                item = ps.PSCustomObject(Thumbprint=thumbprint, RawData=bytes(range(256)), Services=services)
                if after:
                    [(name, select)] = after
                    item = ps.PSCustomObject(**{key: getattr(item, key) for key in select["Property"]})
                pipeline.write_output(item)
        self.end(pipeline)

    def test_echo(self, pipeline, arguments, host, after):
        """What arrived, by type and value."""
        shown = []
        for name, value in arguments.items():
            if isinstance(value, ps.PSSecureString):
                shown.append(f"{name} SecureString {value.decrypt()}")
            elif isinstance(value, (bytes, ps.PSByteArray)):
                shown.append(f"{name} Byte[] {len(value)} {hashlib.sha256(bytes(value)).hexdigest()}")
            elif isinstance(value, list):
                shown.append(f"{name} ArrayList {[str(item) for item in value]}")
            else:
                shown.append(f"{name} {type(value).__name__} {value}")
        for text in shown:
            pipeline.write_output(text)
        self.end(pipeline)

    def test_streams(self, pipeline, arguments, host, after):
        pipeline.write_warning("mind the gap")
        pipeline.write_verbose("so much to say")
        pipeline.write_debug("deep inside")
        pipeline.write_progress("Working", 1, "half", percent_complete=50)
        pipeline.write_information("for your information", "peer")
        pipeline.write_output(None)
        pipeline.write_error(
            net_error("System.TimeoutException", "EX2 does not answer"),
            ps.ErrorCategoryInfo(Category=ps.ErrorCategory.ResourceUnavailable, Reason="TimeoutException"),
            target_object="EX2", fully_qualified_error_id="Timeout,Test.Streams")
        pipeline.write_output(b"\x07" * int(arguments.get("Bytes", 0)))
        self.end(pipeline)

    def enable_exchangecertificate(self, pipeline, arguments, host, after):
        if "SMTP" in arguments["Services"] and not arguments.get("Force"):
            self.ask(pipeline, host, 4)
        else:
            pipeline.write_output("enabled")
            self.end(pipeline)

    def test_prompt(self, pipeline, arguments, host, after):
        self.ask(pipeline, host, int(arguments["Choices"]), bool(arguments.get("Always")))

    def ask(self, pipeline, host, choices, always=False, after=None):
        if host.IsHostNull and not always:
            self.fail(pipeline, record(
                "System.Management.Automation.Host.HostException", "A command that prompts the user failed.",
                "HostFunctionNotImplemented,Test", ps.ErrorCategory.NotImplemented, "HostException"))
            return
        labels = ["&Yes", "&No"] if choices == 2 else ["&Yes", "Yes to &All", "&No", "No to A&ll", "&Suspend", "?"]
        offered = [ps.ChoiceDescription(Label=label, HelpMessage="") for label in labels[:choices]]
        call = pipeline.host_call(ps.HostMethodIdentifier.PromptForChoice, ["Confirm", DEFAULT_SMTP, offered, 0])

        def answered(choice):
            refused = after(labels[choice]) if after is not None else None
            if isinstance(refused, ps.ErrorRecord):
                self.fail(pipeline, refused)
                return
            pipeline.write_output(f"answered {labels[choice]}")
            self.end(pipeline)

        self.waiting[call] = answered

    def start_sleep(self, pipeline, arguments, host, after):
        def wake():
            with self.lock:
                if pipeline.state == ps.PSInvocationState.Running:
                    pipeline.write_output("awake")
                    self.end(pipeline)
                    self.flush()

        threading.Timer(float(arguments["Seconds"]), wake).start()


class Exchange:
    """A server of its own with a few cmdlets that keep what they are told."""

    PARAMETERS = {
        "Get-ExchangeServer": ["Identity"], "Get-ExchangeCertificate": ["Server", "Thumbprint"],
        "Import-ExchangeCertificate": ["Server", "FileData", "Password", "FriendlyName", "PrivateKeyExportable", "Confirm"],
        "Enable-ExchangeCertificate": ["Server", "Thumbprint", "Services", "DoNotRequireSsl", "Confirm", "Force"],
        "Get-PopSettings": ["Server"], "Set-PopSettings": ["Server", "X509CertificateName", "Confirm"],
        "Get-TransportService": ["Identity"], "Get-Command": ["Name"],
    }

    def __init__(self, folder):
        self.folder = folder
        read = lambda kind: [path.read_bytes() for path in sorted(folder.glob(kind + "*.der"))]
        self.coming = read("coming")
        self.store = {}
        for raw in read("stored"):
            self.add(raw, "SMTP", "first")
            self.default = self.thumbprint(raw)
        self.pop = None

    def add(self, raw, services, friendly_name):
        self.store[self.thumbprint(raw)] = {"raw": raw, "services": services, "friendly_name": friendly_name}

    @staticmethod
    def thumbprint(raw):
        return hashlib.sha1(raw).hexdigest().upper()

    def call(self, name, arguments, host, after):
        if name not in self.PARAMETERS:
            return NotImplemented
        return getattr(self, name.replace("-", "_").lower())(arguments, after)

    def get_command(self, arguments, after):
        name = str(arguments["Name"])
        if name not in self.PARAMETERS:
            return record("System.Management.Automation.CommandNotFoundException", f"The term '{name}' is not recognized.",
                          "CommandNotFoundException", ps.ErrorCategory.ObjectNotFound, "CommandNotFoundException", name)
        return [ps.PSCustomObject(Name=name, Parameters=ps.PSDict({key: key for key in self.PARAMETERS[name]}))]

    def get_exchangeserver(self, arguments, after):
        return [ps.PSCustomObject(
            Name="EX1", Fqdn="ex1.corp.example", ServerRole="Mailbox", IsEdgeServer=False,
            AdminDisplayVersion="Version 15.2 (Build 1544.4)", OriginatingServer="dc1.corp.example",
            Site="corp.example/Configuration/Sites/Here")]

    def get_exchangecertificate(self, arguments, after):
        if not after:
            # As over a session that gives no serialized form: the bytes alone.
            return [ps.PSCustomObject(RawData=own["raw"]) for own in self.store.values()]
        [(_, select)] = after
        shown = []
        for thumbprint, own in self.store.items():
            properties = {
                "RawData": own["raw"], "Identity": f"EX1\\{thumbprint}", "Services": own["services"], "Status": "Valid",
                "RootCAType": "None", "HasPrivateKey": True, "PrivateKeyExportable": True,
                "FriendlyName": own["friendly_name"],
            }
            shown.append(ps.PSCustomObject(**{str(key): properties[str(key)] for key in select["Property"]}))
        return shown

    def import_exchangecertificate(self, arguments, after):
        assert len(bytes(arguments["FileData"])) > 100 and len(arguments["Password"].decrypt()) == 64
        raw = self.coming[0]
        if self.thumbprint(raw) in self.store:
            raise AssertionError("it is looked whether it is there already")
        self.add(raw, "None", str(arguments["FriendlyName"]))
        return []

    def enable_exchangecertificate(self, arguments, after):
        own = self.store[str(arguments["Thumbprint"])]
        services = str(arguments["Services"])

        def enable(answer):
            own["services"] = services
            if answer == "&Yes":
                self.default = str(arguments["Thumbprint"])

        if "SMTP" in services and not arguments.get("Force"):
            return enable
        enable("&Yes" if "SMTP" in services else "")
        return []

    def get_transportservice(self, arguments, after):
        return [ps.PSCustomObject(Name="EX1", InternalTransportCertificateThumbprint=self.default)]

    def get_popsettings(self, arguments, after):
        return [ps.PSCustomObject(Server="EX1", Identity="EX1\\1", X509CertificateName=self.pop)]

    def set_popsettings(self, arguments, after):
        name = arguments.get("X509CertificateName")
        self.pop = None if name is None else str(name)
        return []


class LabExchange:
    """Servers of a lab: each cmdlet is carried out by a program that is asked and answers by lines of JSON. When it goes
    down, so does this server."""

    def __init__(self, program):
        words = [program, "as_exchange", "--exact", "--ignored", "--nocapture"]
        self.program = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lock = threading.Lock()

    def call(self, name, arguments, host, after):
        asked = {"name": name, "parameters": [
            {"name": str(key), "value": self.plain(value)} for key, value in arguments.items()]}
        answer = self.ask(asked)
        if answer.get("asks"):
            return lambda label: self.shown(name, self.ask({**asked, "answer": label}))
        return self.shown(name, answer)

    def ask(self, asked):
        with self.lock:
            try:
                self.program.stdin.write(json.dumps(asked).encode() + b"\n")
                self.program.stdin.flush()
                while line := self.program.stdout.readline():
                    if line.startswith(b"\x1e"):
                        return json.loads(line[1:])
            except BrokenPipeError:
                pass
            os._exit(1)

    @staticmethod
    def plain(value):
        if isinstance(value, ps.PSSecureString):
            return value.decrypt()
        if isinstance(value, (bytes, ps.PSByteArray)):
            return base64.b64encode(bytes(value)).decode()
        if isinstance(value, (list, ps.PSList)):
            return [str(item) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int(value)
        if isinstance(value, ps.PSDateTime):
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        return str(value)

    def shown(self, name, answer):
        FAULT.what = answer.get("fault")
        if FAULT.what == "prompt":
            return "prompt"
        if answer.get("parameters") is not None:
            return [ps.PSCustomObject(Name=name, Parameters=ps.PSDict({key: key for key in answer["parameters"]}))]
        if answer.get("no_cmdlet"):
            return record("System.Management.Automation.CommandNotFoundException", f"The term '{name}' is not recognized.",
                          "CommandNotFoundException", ps.ErrorCategory.ObjectNotFound, "CommandNotFoundException", name)
        missing = answer.get("missing")
        objects = []
        if answer.get("objects"):
            objects = list(ps.deserialize_clixml(base64.b64decode(answer["objects"]).decode("utf-8-sig"), None)[0])
        if answer.get("only"):
            name_of = lambda item: str(getattr(item, "Name", getattr(item, "Identity", "")))
            objects = [item for item in objects if name_of(item).lower() == answer["only"].lower()]
            missing = missing or (None if objects else f"The operation couldn't be performed: '{answer['only']}'")
        if missing:
            return record("Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException", missing,
                          "1", ps.ErrorCategory.InvalidData, "ManagementObjectNotFoundException")
        if answer.get("error"):
            return record("System.InvalidOperationException", answer["error"], "2", ps.ErrorCategory.InvalidOperation,
                          "InvalidOperationException")
        if answer.get("text"):
            objects.append(answer["text"])
        if answer.get("file"):
            objects.append(ps.PSCustomObject(FileData=base64.b64decode(answer["file"])))
        return objects


class Peer:
    def __init__(self):
        self.shells = {}

    def answer(self, xml):
        request = ET.fromstring(xml)
        header, body = request.find(SOAP + "Header"), request.find(SOAP + "Body")
        text = lambda name: (header.findtext(name) or "").strip()
        action = text(WSA + "Action").rsplit("/", 1)[1]
        message = text(WSA + "MessageID")
        try:
            if text(WSMAN + "ResourceURI") != "http://schemas.microsoft.com/powershell/Microsoft.Exchange":
                raise Fault(2150858811, "DestinationUnreachable", "no such resource")
            seconds = float(text(WSMAN + "OperationTimeout")[2:-1])
            selector = header.find(f"{WSMAN}SelectorSet/{WSMAN}Selector")
            status, content = 200, self.act(action, None if selector is None else selector.text, body, seconds)
        except Fault as fault:
            action, status, content = "Fault", 500, (
                f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:{fault.subcode}</s:Value>"
                f"</s:Subcode></s:Code><s:Reason><s:Text xml:lang='en-US'>{fault.message}</s:Text></s:Reason>"
                f"<s:Detail><f:WSManFault xmlns:f='http://schemas.microsoft.com/wbem/wsman/1/wsmanfault' "
                f"Code='{fault.code}' Machine='peer'><f:Message>{fault.message}</f:Message></f:WSManFault></s:Detail>"
                f"</s:Fault>")
        return status, (
            f"<s:Envelope xmlns:s='{SOAP[1:-1]}' xmlns:a='{WSA[1:-1]}' xmlns:w='{WSMAN[1:-1]}' xmlns:rsp='{SHELL}' "
            f"xmlns:x='http://schemas.xmlsoap.org/ws/2004/09/transfer'><s:Header><a:Action>{action}Response</a:Action>"
            f"<a:RelatesTo>{message}</a:RelatesTo></s:Header><s:Body>{content}</s:Body></s:Envelope>").encode()

    def act(self, action, shell_id, body, seconds):
        if action == "Create":
            if len(self.shells) >= ARGUMENTS.most_shells or FULL.is_set():
                raise Fault(2150859173, "QuotaLimit", "This user is allowed a maximum number of concurrent shells.")
            assert body.findtext(f"{RSP}Shell/{RSP}InputStreams") == "stdin pr"
            opening = body.findtext(f"{RSP}Shell/{{http://schemas.microsoft.com/powershell}}creationXml")
            shell = Shell(base64.b64decode(opening))
            self.shells[shell.id] = shell
            return (f"<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet><w:Selector Name='ShellId'>{shell.id}"
                    f"</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>")
        shell = self.shells.get(shell_id)
        if shell is None:
            raise Fault(2150858843, "InvalidSelectors", "The request contained invalid selectors for the resource.")
        if action == "Delete":
            del self.shells[shell_id]
            return ""
        if action == "Command":
            line = body.find(RSP + "CommandLine")
            command = line.get("CommandId")
            shell.commands[command] = psrpcore.ServerPipeline(shell.pool, uuid.UUID(command))
            shell.output.setdefault(command, [])
            shell.input(base64.b64decode(line.findtext(RSP + "Arguments")))
            return f"<rsp:CommandResponse><rsp:CommandId>{command}</rsp:CommandId></rsp:CommandResponse>"
        if action == "Send":
            stream = body.find(f"{RSP}Send/{RSP}Stream")
            assert stream.get("Name") in ("stdin", "pr")
            shell.input(base64.b64decode(stream.text))
            return "<rsp:SendResponse/>"
        if action == "Receive":
            command = body.find(f"{RSP}Receive/{RSP}DesiredStream").get("CommandId")
            chunks, done = shell.receive(command, seconds)
            name = "" if command is None else f" CommandId='{command}'"
            streams = "".join(
                f"<rsp:Stream Name='stdout'{name}>{base64.b64encode(chunk).decode()}</rsp:Stream>" for chunk in chunks)
            state = f"<rsp:CommandState{name} State='{SHELL}/CommandState/Done'/>" if done else ""
            return f"<rsp:ReceiveResponse>{streams}{state}</rsp:ReceiveResponse>"
        if action == "Signal":
            command = body.find(RSP + "Signal").get("CommandId")
            if body.findtext(f"{RSP}Signal/{RSP}Code").endswith("crtl_c"):
                with shell.lock:
                    pipeline = shell.pool.pipeline_table.get(uuid.UUID(command))
                    if pipeline and pipeline.state == ps.PSInvocationState.Running:
                        pipeline.stop()
                        shell.flush()
                print("stopped", flush=True)
            else:
                shell.commands.pop(command, None)
            return "<rsp:SignalResponse/>"
        raise AssertionError(action)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection. What authenticates it is kept in it."""

    protocol_version = "HTTP/1.1"
    # An answer goes out at once and as a whole.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    context = None

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.path.startswith("/PowerShell"):
            return self.reply(404, b"not here", "text/plain")
        assert self.headers["Accept-Encoding"] == "identity"
        authorization = self.headers["Authorization"]
        token = None
        marked = lambda name: (ARGUMENTS.store / name) if ARGUMENTS.store and (ARGUMENTS.store / name).exists() else None
        if marked("expired") or EXPIRED.is_set():
            return self.reply(401, b"", "text/plain", [("WWW-Authenticate", 'Basic realm="WSMAN"')])
        if ARGUMENTS.basic:
            expected = "Basic " + base64.b64encode(ARGUMENTS.basic.encode()).decode()
            if authorization != expected:
                return self.reply(401, b"", "text/plain", [("WWW-Authenticate", 'Basic realm="WSMAN"')])
        elif authorization and authorization.startswith(ARGUMENTS.scheme + " "):
            token = self.accept(base64.b64decode(authorization.split()[1]))
            if token is None:
                return self.unauthorized()
        elif self.context is None or not self.context.complete or ARGUMENTS.forgetful:
            return self.unauthorized()
        headers = []
        if token is not None:
            headers.append(("WWW-Authenticate", f"{ARGUMENTS.scheme} {base64.b64encode(token).decode()}"))
        if not body:
            return self.reply(200, b"", "text/plain", headers)
        seal = self.headers["Content-Type"].startswith("multipart/encrypted")
        if ARGUMENTS.certificate is None and not seal:
            return self.reply(403, b"not sealed", "text/plain", headers)
        if seal:
            body = self.unseal(body)
        status, xml = PEER.answer(body)
        fault, FAULT.what = getattr(FAULT, "what", None), None
        if fault and self.strike(fault):
            return None
        cut = marked("cut")
        if cut and b"Receive" in body and b"CommandId" in body and ARGUMENTS.running == cut.read_text():
            cut.unlink()
            self.close_connection = True
            self.connection.close()
            return None
        if ARGUMENTS.cut and b"CommandId" in body and b"Receive" in body:
            self.close_connection = True
            self.connection.close()
            return None
        if seal:
            content_type = ('multipart/encrypted;protocol="application/HTTP-Kerberos-session-encrypted";'
                            'boundary="Encrypted Boundary"')
            return self.reply(status, self.seal(xml), content_type, headers)
        return self.reply(status, xml, "application/soap+xml;charset=UTF-8", headers)

    def strike(self, fault):
        """Lets something go wrong after a cmdlet; whether nothing else is to be answered."""
        if fault == "endless":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml;charset=UTF-8\r\n\r\n")
            try:
                while True:
                    self.wfile.write(b" " * 65536)
            except OSError:
                pass
        elif fault == "garbage":
            self.reply(200, b"<html>", "text/html")
            return True
        elif fault == "expired before":
            EXPIRED.set()
        elif fault == "full":
            FULL.set()
        elif not fault.startswith("cut"):
            return False
        self.close_connection = True
        self.connection.close()
        return True

    def unauthorized(self):
        schemes = [ARGUMENTS.scheme] if ARGUMENTS.scheme != "NTLM" else ["NTLM", 'Basic realm="x"']
        self.reply(401, b"", "text/plain", [("WWW-Authenticate", scheme) for scheme in schemes])

    def accept(self, token):
        import gssapi
        if self.context is None or self.context.complete:
            self.context = gssapi.SecurityContext(usage="accept")
        try:
            return self.context.step(token) or b""
        except gssapi.exceptions.GSSError as error:
            print(error, file=sys.stderr, flush=True)
            return None

    def unseal(self, body):
        from gssapi.raw import IOV, IOVBuffer, IOVBufferType, unwrap_iov
        parts = body.split(b"--Encrypted Boundary\r\n", 2)
        length = int(re.search(rb"Length=(\d+)", parts[1]).group(1))
        data = parts[2].split(b"\r\n", 1)[1].removesuffix(b"--Encrypted Boundary--\r\n")
        size = struct.unpack("<I", data[:4])[0]
        iov = IOV(IOVBuffer(IOVBufferType.header, False, data[4:4 + size]), data[4 + size:], IOVBufferType.padding,
                  std_layout=False)
        assert unwrap_iov(self.context, iov).encrypted
        plain = iov[1].value
        assert len(plain) == length, (len(plain), length)
        return plain

    def seal(self, xml):
        from gssapi.raw import IOV, IOVBufferType, wrap_iov
        iov = IOV(IOVBufferType.header, xml, IOVBufferType.padding, std_layout=False)
        assert wrap_iov(self.context, iov, confidential=True)
        header, data, padding = (part.value or b"" for part in iov)
        # As Exchange writes it, with a blank after the hyphens.
        return (
            b"-- Encrypted Boundary\r\n\tContent-Type: application/HTTP-Kerberos-session-encrypted\r\n"
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
            b"-- Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n" % len(xml)
            + struct.pack("<I", len(header)) + header + data + padding + b"-- Encrypted Boundary--\r\n")

    def reply(self, status, body, content_type, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        if ARGUMENTS.chunked and body:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(body), 1000):
                piece = body[at:at + 1000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", help="PEM with key and chain: serve TLS")
    parser.add_argument("--basic", help="USER:PASSWORD")
    parser.add_argument("--scheme", default="Kerberos", choices=["Kerberos", "Negotiate", "NTLM"])
    parser.add_argument("--chunked", action="store_true")
    parser.add_argument("--forgetful", action="store_true", help="authenticate each request")
    parser.add_argument("--cut", action="store_true", help="break the connection while a command is received")
    parser.add_argument("--fragment", type=int, default=32768)
    parser.add_argument("--most-shells", type=int, default=18)
    parser.add_argument("--store", type=pathlib.Path, help="be a server that keeps certificates, of the files in this folder")
    parser.add_argument("--exchange", help="the program that carries out cmdlets")
    return parser.parse_args()


ARGUMENTS = arguments()
ARGUMENTS.running = ""
# What is to go wrong with the answer that this thread is about to give, and what is wrong from then on.
FAULT = threading.local()
EXPIRED, FULL = threading.Event(), threading.Event()
EXCHANGE = Exchange(ARGUMENTS.store) if ARGUMENTS.store else LabExchange(ARGUMENTS.exchange) if ARGUMENTS.exchange else None
PEER = Peer()

if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if ARGUMENTS.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(ARGUMENTS.certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    print(f"shells {len(PEER.shells)}", flush=True)
