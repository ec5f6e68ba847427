# What is asked for, and the loop that answers.

function Read-Hello {
    return @{
        ps_version    = $PSVersionTable.PSVersion.ToString()
        language_mode = [string] $ExecutionContext.SessionState.LanguageMode
        bits          = 8 * [System.IntPtr]::Size
        windows       = ([System.Environment]::OSVersion.Platform -eq [System.PlatformID]::Win32NT)
        computer      = $Session.Here
        utc           = [datetime]::UtcNow
        driver_sha256 = (Get-OwnDigest)
    }
}

function Get-OwnDigest {
    $sha256 = [System.Security.Cryptography.SHA256]::Create()
    try { $digest = $sha256.ComputeHash([System.Text.Encoding]::UTF8.GetBytes($OwnText)) }
    finally { $sha256.Dispose() }
    return [System.BitConverter]::ToString($digest).Replace('-', '').ToLowerInvariant()
}

function Open-Session($Request) {
    $Session.Credential = $null
    if ($null -ne $Request['credential']) {
        $password = ConvertTo-Secret ([string] $Request['credential']['password'])
        $Session.Credential = New-Object System.Management.Automation.PSCredential -ArgumentList @(
            [string] $Request['credential']['user'], $password)
    }
    $Session.Calling = 'open'
    $Session.Opening = @{ mode = $Request['mode']; uri = $Request['uri']; open_timeout_s = $Request['open_timeout_s'] }
    New-Turn $Request
    # For Windows alone there is nothing to open.
    if ($Request['mode'] -eq 'windows') { return @{ answers_prompts = $false } }
    Open-Exchange $Request
    return @{ answers_prompts = ($null -ne $Session.Answers) }
}

# A script whose caller was killed carries out to its end what it has in hand. So whoever looks at a server from this
# computer, or changes it, waits for that: one change at a time, and no look in the middle of one.
function New-Turn($Request) {
    $Session.Turn = $null
    if ($null -eq $Request['turn_s']) { return }
    $Session.TurnTime = [int] $Request['turn_s']
    $name = 'Global\certwright-' + ([string] $Request['mode']) + '-' + (([uri] $Request['uri']).Host -replace '[^A-Za-z0-9.-]', '-')
    try { $Session.Turn = New-Object System.Threading.Mutex -ArgumentList $false, $name }
    catch {
        # It is there, and of another account, whose turns cannot be seen.
        $Reply.Warnings.Add("changes of other accounts cannot be waited for: $($_.Exception.Message)")
    }
}

function Enter-Turn {
    if ($null -eq $Session.Turn) { return $false }
    try { $has = $Session.Turn.WaitOne([timespan]::FromSeconds($Session.TurnTime)) }
    catch [System.Threading.AbandonedMutexException] { $has = $true }
    if (-not $has) { throw (New-Condition 'busy' 'another run is changing something there, and goes on; try again when it has ended') }
    return $true
}

# The operations that wait for their turn. The others only tell what is, or start and stop what another one waits for.
$InTurn = @('observe.organization', 'observe.server', 'observe.windows', 'certificate.create', 'certificate.complete',
    'certificate.import', 'certificate.enable', 'certificate.remove', 'certificate.remove_named', 'transport.drain',
    'setting.set', 'auth.stage', 'auth.publish', 'auth.clear', 'override.set', 'iis.bind')

# What the role assignments of the account leave of each cmdlet that this driver calls: its parameters, or nothing.
function Read-Visible($Request) {
    $visible = @{}
    foreach ($name in $Allowed.Keys) {
        $pipeline = [powershell]::Create()
        $pipeline.Runspace = $Session.Exchange
        try {
            [void] $pipeline.AddCommand('Get-Command').AddParameter('Name', $name).AddParameter('ErrorAction', 'SilentlyContinue')
            foreach ($command in $pipeline.Invoke()) { $visible[$name] = @(Get-ParameterNames $command) }
        }
        finally { $pipeline.Dispose() }
    }
    return @{ visible = $visible }
}

# The names of a command's parameters: the keys of a table, in whatever form that came over the wire.
function Get-ParameterNames($Command) {
    $parameters = $Command.PSObject.Properties['Parameters']
    if ($null -eq $parameters -or $null -eq $parameters.Value) { return }
    $table = $parameters.Value
    if ($table -isnot [System.Collections.IDictionary] -and $null -ne $table.PSObject.BaseObject) { $table = $table.PSObject.BaseObject }
    foreach ($key in $table.Keys) { [string] $key }
}

$Operations = @{
    'session.hello'        = { param($Request) Read-Hello }
    'session.open'         = { param($Request) Open-Session $Request }
    'session.about'        = { param($Request) Read-About $Request }
    'session.visible'      = { param($Request) Read-Visible $Request }
    'observe.organization' = { param($Request) Read-Organization $Request }
    'observe.server'       = { param($Request) Read-Server $Request }
    'observe.windows'      = { param($Request) Read-Windows $Request }
    'certificate.create'   = { param($Request) New-Certificate $Request }
    'certificate.complete' = { param($Request) Import-Answer $Request }
    'certificate.import'   = { param($Request) Import-Bundle $Request }
    'certificate.export'   = { param($Request) Export-Bundle $Request }
    'certificate.enable'   = { param($Request) Enable-Certificate $Request }
    'certificate.remove'   = { param($Request) Remove-Certificate $Request }
    'certificate.remove_named' = { param($Request) Remove-NamedCertificates $Request }
    'transport.drain'      = { param($Request) Invoke-Drain $Request }
    'edge.synchronize'     = { param($Request) Start-Synchronization $Request }
    'setting.set'          = { param($Request) Set-Property $Request }
    'auth.stage'           = { param($Request) Set-NextAuth $Request }
    'auth.publish'         = { param($Request) Publish-Auth $Request }
    'auth.clear'           = { param($Request) Clear-PreviousAuth $Request }
    'override.set'         = { param($Request) Set-Override $Request }
    'iis.bind'             = { param($Request) Set-SiteBinding $Request }
    'iis.unused'           = { param($Request) Test-Unbound $Request }
    'service.restart'      = { param($Request) Restart-Listed $Request }
    'service.suspend'      = { param($Request) Suspend-Listed $Request }
    'service.running'      = { param($Request) Read-Running $Request }
    'service.resume'       = { param($Request) Resume-Listed $Request }
}

function Write-Frame([System.IO.Stream] $Stream, [string] $Nonce, $Answer) {
    $body = [System.Convert]::ToBase64String([System.Text.Encoding]::ASCII.GetBytes((Write-Json $Answer)))
    $frame = [System.Text.Encoding]::ASCII.GetBytes([string] [char] 0x1e + $Nonce + ' ' + $body + "`n")
    $Stream.Write($frame, 0, $frame.Length)
    $Stream.Flush()
}

$lines = New-Object System.IO.StreamReader -ArgumentList @(
    $RequestStream, (New-Object System.Text.UTF8Encoding -ArgumentList $false, $true), $false, 65536)
$frames = [Console]::OpenStandardOutput()
$Session.Ahead = $lines.ReadLineAsync()
while ($true) {
    $line = $Session.Ahead.GetAwaiter().GetResult()
    if ($null -eq $line) { break }
    $Session.Ahead = $lines.ReadLineAsync()
    if ($line -eq '') { continue }
    $started = [datetime]::UtcNow
    $request = Read-Json ([System.Text.Encoding]::UTF8.GetBytes($line))
    # It was given up in the moment in which it was done.
    if ([string] $request['op'] -eq 'cancel') { continue }
    $Session.Cancelled = $false
    $Session.PutsBack = $false
    $Reply.Warnings = New-Object System.Collections.Generic.List[string]
    $Reply.WouldDo = New-Object System.Collections.Generic.List[string]
    $Reply.WhatIf = [bool] $request['what_if']
    $Reply.Stage = 'request'
    $Reply.Mutated = 'no'
    $Reply.Begun = 0
    $Reply.NotRunning = $null
    $Reply.Sent = $false
    $Session.Calling = ''
    $answer = [ordered] @{ v = 1; id = $request['id']; ok = $true }
    $hasTurn = $false
    try {
        $operation = $Operations[[string] $request['op']]
        if ($null -eq $operation) { throw (New-Condition 'unknown_op' "no such operation: $($request['op'])") }
        if ($InTurn -contains [string] $request['op']) { $hasTurn = Enter-Turn }
        $answer.result = & $operation $request['args']
    }
    catch {
        $answer.ok = $false
        $answer.error = Get-ErrorFacts $_
    }
    finally {
        Close-Windows
        if ($hasTurn) { $Session.Turn.ReleaseMutex() }
    }
    $answer.warnings = $Reply.Warnings
    $answer.would = $Reply.WouldDo
    $answer.ms = [long] ([datetime]::UtcNow - $started).TotalMilliseconds
    Write-Frame $frames ([string] $request['n']) $answer
}
Close-Exchange
