# IIS, Windows services and the certificate store of a server: in this process when it is this computer, else by
# Windows remote management. Each action is one call that the server carries out to its end.

function Test-IsHere($Server) { return ([string] $Server['name']) -eq $Session.Here }

function Get-RemoteOptions($Server) {
    $options = @{ ComputerName = [string] $Server['fqdn']; Authentication = 'Kerberos' }
    if ($null -ne $Session.Credential) { $options.Credential = $Session.Credential }
    return $options
}

# The session with Windows of another computer, for as long as a request lasts. Who is refused there is refused once: an account
# that signs in for each thing that it reads would be locked.
function Open-Windows($Server) {
    $name = [string] $Server['fqdn']
    $known = $Reply.Windows[$name]
    if ($null -ne $known) {
        if ($null -ne $known.Refusal) { throw $known.Refusal }
        if ([string] $known.Opened.State -eq 'Opened') { return $known.Opened }
    }
    $options = Get-RemoteOptions $Server
    $options.SessionOption = New-PSSessionOption -OpenTimeout (1000 * [int] $Session.Opening.open_timeout_s)
    $Session.Calling = 'New-PSSession'
    try { $opened = New-PSSession @options -ErrorAction Stop }
    catch {
        # Nobody was met, and nothing was begun before.
        if ($Reply.Begun -eq 0 -and -not $Reply.Sent) { $Reply.Mutated = 'no' }
        if ($null -eq $known) { $Reply.Windows[$name] = @{ Opened = $null; Refusal = $_ } }
        throw
    }
    $Reply.Windows[$name] = @{ Opened = $opened; Refusal = $null }
    return $opened
}

function Close-Windows {
    foreach ($known in @($Reply.Windows.Values)) {
        if ($null -ne $known.Opened) { Remove-PSSession -Session $known.Opened -ErrorAction SilentlyContinue }
    }
    $Reply.Windows = @{}
}

function Invoke-OnServer($Server, [scriptblock] $Action, [object[]] $Arguments) {
    if (Test-IsHere $Server) {
        $Session.Calling = 'Invoke-Command'
        return , @(& $Action @Arguments)
    }
    $opened = Open-Windows $Server
    $Session.Calling = 'Invoke-Command'
    if ($Reply.Mutated -ne 'no') { $Reply.Sent = $true }
    return , @(Invoke-Command -Session $opened -ScriptBlock $Action -ArgumentList $Arguments -ErrorAction Stop)
}

# Gives the one binding that is exactly this one another certificate. Get-WebBinding's own filters would also find those
# with a host name when none is asked for.
$SetBinding = {
    param($Site, $Address, $Port, $HostName, $Thumbprint, $IsTrial, $Expected)
    $ErrorActionPreference = 'Stop'
    if ($null -eq (Get-Command Get-WebBinding -ErrorAction SilentlyContinue)) { Import-Module WebAdministration }
    $find = {
        Get-WebBinding -Name $Site -Protocol https | Where-Object {
            if ([string] $_.bindingInformation -notmatch '^(?<address>.*):(?<port>[0-9]+):(?<name>[^:]*)$') {
                return $false
            }
            $bound = $Matches['address']
            if ($bound -eq '*' -or $bound -eq '0.0.0.0') { $bound = '' }
            return $bound -eq $Address -and $Matches['port'] -eq [string] $Port -and $Matches['name'] -eq $HostName
        }
    }
    $found = @(& $find)
    if ($found.Count -ne 1) { return @{ Outcome = 'found'; Count = $found.Count } }
    $before = [string] $found[0].certificateHash
    $store = [string] $found[0].certificateStoreName
    if ($store -eq '') { $store = 'My' }
    if ($before -eq $Thumbprint) { return @{ Outcome = 'there' } }
    if ($null -ne $Expected -and $before -ne $Expected) { return @{ Outcome = 'other'; Before = $before } }
    if ($IsTrial) { return @{ Outcome = 'would' } }
    try { $found[0].AddSslCertificate($Thumbprint, 'My') }
    finally {
        # Whatever went wrong, the site does not stay without the certificate that it had.
        $now = @(& $find)
        if ($before -ne '' -and $now.Count -eq 1 -and [string] $now[0].certificateHash -eq '') {
            $now[0].AddSslCertificate($before, $store)
        }
    }
    $after = @(& $find)
    if ($after.Count -eq 1 -and [string] $after[0].certificateHash -eq $Thumbprint) {
        return @{ Outcome = 'done' }
    }
    return @{ Outcome = 'not' }
}

# Restarts those that run, and starts none that is stopped. Returns when they run again, with what is wrong with each that
# does not: one that fails keeps no other from running.
$RestartServices = {
    param([string[]] $Names, [int] $Seconds)
    $ErrorActionPreference = 'Stop'
    foreach ($name in $Names) {
        $service = Get-Service -Name $name
        if ([string] $service.Status -ne 'Running') { continue }
        try {
            Restart-Service -Name $name -Force
            (Get-Service -Name $name).WaitForStatus('Running', [timespan]::FromSeconds($Seconds))
        }
        catch { "$name ($($_.Exception.Message))" }
    }
}

$ReadServices = {
    param([string[]] $Names)
    Get-Service -Name $Names | ForEach-Object {
        $start = $_.PSObject.Properties['StartType']
        @{ Name = $_.Name; Status = [string] $_.Status; Disabled = ($null -ne $start -and [string] $start.Value -eq 'Disabled') }
    }
}

$RecyclePools = {
    param([string[]] $Names)
    $ErrorActionPreference = 'Stop'
    if ($null -eq (Get-Command Restart-WebAppPool -ErrorAction SilentlyContinue)) {
        Import-Module WebAdministration
    }
    foreach ($name in $Names) { Restart-WebAppPool -Name $name }
}

# Stops services for as long as a certificate is there, but not longer than so many seconds, and starts those that ran.
# The server does it by itself: it starts them too when whoever asked for it is gone. When somebody else starts one, it
# is over.
$StandStill = {
    param([string[]] $Names, [string] $Thumbprint, [int] $Seconds)
    $ErrorActionPreference = 'Stop'
    $running = @(Get-Service -Name $Names | Where-Object { [string] $_.Status -eq 'Running' })
    try {
        foreach ($service in $running) { Stop-Service -Name $service.Name -Force }
        $until = [datetime]::UtcNow.AddSeconds($Seconds)
        while ([datetime]::UtcNow -lt $until -and (Test-Path "Cert:\LocalMachine\My\$Thumbprint")) {
            Start-Sleep -Milliseconds 250
            $back = @($running | ForEach-Object { Get-Service -Name $_.Name } |
                    Where-Object { [string] $_.Status -eq 'Running' })
            if ($back.Length -gt 0) { break }
        }
    }
    finally {
        $failed = @()
        foreach ($service in $running) {
            try { Start-Service -Name $service.Name }
            catch { $failed += "$($service.Name) ($($_.Exception.Message))" }
        }
    }
    if ($failed.Length -gt 0) { throw "not started: $($failed -join '; ')" }
}

$StopServices = {
    param([string[]] $Names)
    $ErrorActionPreference = 'Stop'
    foreach ($name in $Names) { Stop-Service -Name $name -Force }
}

# Starts each, whatever becomes of the others. Returns what is wrong with those that do not start.
$StartServices = {
    param([string[]] $Names)
    $ErrorActionPreference = 'Stop'
    foreach ($name in $Names) {
        try { Start-Service -Name $name }
        catch { "$name ($($_.Exception.Message))" }
    }
}

# How long a service may take to start.
$ServiceSeconds = 120
# What may be restarted or stopped.
$AllowedServices = @('WAS', 'W3SVC', 'MSExchangeTransport', 'MSExchangeFrontEndTransport', 'MSExchangeDelivery',
    'MSExchangeSubmission', 'MSExchangePOP3',
    'MSExchangePOP3BE', 'MSExchangeIMAP4', 'MSExchangeIMAP4BE', 'MSExchangeUM', 'MSExchangeUMCR', 'MSExchangeServiceHost')
$AllowedPools = @('MSExchangeOWAAppPool', 'MSExchangeECPAppPool')

function Assert-Allowed([string[]] $Names, [string[]] $List) {
    foreach ($name in $Names) {
        if ($List -notcontains $name) { throw (New-Condition 'bad_request' "$name is not for this driver") }
    }
}

function Set-SiteBinding($Request) {
    $server = $Request['server']
    $arguments = @([string] $Request['site'], [string] $Request['address'], [int] $Request['port'],
        [string] $Request['host'], [string] $Request['thumbprint'], $Reply.WhatIf, $Request['expected'])
    $Reply.Stage = 'call'
    if (-not $Reply.WhatIf) { $Reply.Mutated = 'unknown' }
    $result = (Invoke-OnServer $server $SetBinding $arguments)[0]
    if ([string] $result['Outcome'] -ne 'not') { $Reply.Mutated = 'no' }
    switch ([string] $result['Outcome']) {
        'there' { return @{ changed = $false } }
        'would' { $Reply.WouldDo.Add("AddSslCertificate on $($Request['site'])"); return @{ changed = $false } }
        'done' { $Reply.Mutated = 'yes'; return @{ changed = $true } }
        'found' {
            if ($result['Count'] -eq 0) { throw (New-Condition 'not_found' 'there is no such binding') }
            throw (New-Condition 'precondition_failed' "there are $($result['Count']) such bindings")
        }
        'other' {
            $now = [string] $result['Before']
            if ($now -eq '') { $now = 'no certificate' }
            throw (New-Condition 'precondition_failed' "somebody has changed the binding since it was looked at: it has $now")
        }
        default { throw (New-Condition 'not_reached' 'the binding does not show the certificate') }
    }
}

function Restart-Listed($Request) {
    $names = [string[]] $Request['services']
    if ($Request['pools']) { Assert-Allowed $names $AllowedPools } else { Assert-Allowed $names $AllowedServices }
    if ($Reply.WhatIf) { $Reply.WouldDo.Add("restart $($names -join ', ')"); return @{ changed = $false } }
    $Reply.Stage = 'call'
    $Reply.Mutated = 'unknown'
    if ($Request['pools']) { [void] (Invoke-OnServer $Request['server'] $RecyclePools @(, $names)) }
    else {
        $failed = Invoke-OnServer $Request['server'] $RestartServices @($names, [int] $Request['seconds'])
        if ($failed.Length -gt 0) { throw (New-Condition 'service_timeout' "not running again: $($failed -join '; ')") }
    }
    $Reply.Mutated = 'yes'
    return @{ changed = $true }
}

# The same three for a caller that reaches Exchange in another way than Windows. It asks for the first one on a channel of
# its own, which does not answer before the services run again.
function Suspend-Listed($Request) {
    $names = [string[]] @($Request['services'])
    Assert-Allowed $names $AllowedServices
    if ($Reply.WhatIf) { $Reply.WouldDo.Add("stop $($names -join ', ')"); return @{ changed = $false } }
    $Reply.Stage = 'call'
    $Reply.Mutated = 'unknown'
    try { [void] (Invoke-OnServer $Request['server'] $StandStill @($names, [string] $Request['thumbprint'], [int] $Request['seconds'])) }
    finally { Wait-Services $Request['server'] $names 'Running' $ServiceSeconds }
    $Reply.Mutated = 'no'
    return @{ changed = $false }
}

function Read-Running($Request) {
    $names = [string[]] @($Request['services'])
    Assert-Allowed $names $AllowedServices
    $found = Invoke-OnServer $Request['server'] $ReadServices @(, $names)
    return @{ running = @($found | Where-Object { $_['Status'] -eq 'Running' } | ForEach-Object { [string] $_['Name'] }) }
}

function Resume-Listed($Request) {
    $names = [string[]] @($Request['services'])
    Assert-Allowed $names $AllowedServices
    if ($Reply.WhatIf) { $Reply.WouldDo.Add("start $($names -join ', ')"); return @{ changed = $false } }
    # Nobody has stopped by accident what is disabled.
    $found = Invoke-OnServer $Request['server'] $ReadServices @(, $names)
    $names = [string[]] @($found | Where-Object { -not $_['Disabled'] } | ForEach-Object { [string] $_['Name'] })
    if ($names.Length -eq 0) { return @{ changed = $false } }
    $Reply.Mutated = 'unknown'
    Start-Listed $Request['server'] $names $ServiceSeconds
    $Reply.Mutated = 'yes'
    return @{ changed = $true }
}

# Starts services and waits until they run. Each is started whatever the others do, and what does not run is an error.
function Start-Listed($Server, [string[]] $Names, [int] $Seconds) {
    $failed = Invoke-OnServer $Server $StartServices @(, $Names)
    if ($failed.Length -gt 0) { throw (New-Condition 'service_timeout' "not started: $($failed -join '; ')") }
    Wait-Services $Server $Names 'Running' $Seconds
}

# Does something while services stand still. On another computer the server itself sees to it that they come back. That they
# do not is no failure of what was done: it is said in $Reply.NotRunning, and is the caller's to tell.
function Invoke-WhileStopped($Server, [string[]] $Names, [string] $Thumbprint, [int] $Seconds, [scriptblock] $Act) {
    if ($Names.Length -eq 0) { return & $Act }
    Assert-Allowed $Names $AllowedServices
    $running = @((Invoke-OnServer $Server $ReadServices @(, $Names)) | Where-Object { $_['Status'] -eq 'Running' } |
        ForEach-Object { [string] $_['Name'] })
    if ($running.Length -eq 0) { return & $Act }
    if (Test-IsHere $Server) {
        try {
            foreach ($name in $running) { Stop-Service -Name $name -Force }
            return & $Act
        }
        finally { Resume-After $Server $running $Seconds }
    }
    $options = Get-RemoteOptions $Server
    $left = @(Invoke-Command @options -InDisconnectedSession -ScriptBlock $StandStill -ErrorAction Stop `
            -ArgumentList $running, $Thumbprint, $Seconds)
    try {
        Wait-Services $Server $running 'Stopped' $Seconds
        $result = & $Act
    }
    catch {
        Resume-After $Server $running $Seconds
        throw
    }
    # It starts them by itself, and what it cannot start is tried from here once more.
    try { Wait-Services $Server $running 'Running' $Seconds }
    catch {
        Resume-After $Server $running $Seconds
        return $result
    }
    # All of them run, so that its session is of no use any more. One that stays ends by itself when it was idle for two hours.
    $left | Remove-PSSession -ErrorAction SilentlyContinue
    return $result
}

function Resume-After($Server, [string[]] $Names, [int] $Seconds) {
    try { Start-Listed $Server $Names $Seconds }
    catch { $Reply.NotRunning = $_.Exception.Message }
}

function Wait-Services($Server, [string[]] $Names, [string] $Status, [int] $Seconds) {
    $until = [datetime]::UtcNow.AddSeconds($Seconds)
    while ($true) {
        $others = @((Invoke-OnServer $Server $ReadServices @(, $Names)) | Where-Object { $_['Status'] -ne $Status })
        if ($others.Length -eq 0) { return }
        if ([datetime]::UtcNow -gt $until) {
            throw (New-Condition 'service_timeout' "not $Status in time: $(($others | ForEach-Object { $_['Name'] }) -join ', ')")
        }
        # What starts again is put back, which nobody gives up.
        if ($Status -ne 'Running') { Assert-NotCancelled }
        Start-Sleep -Milliseconds 250
    }
}
