# Settings that name a certificate: connectors, POP and IMAP, Unified Messaging, OAuth, setting overrides.

# Sets one property and reads it back. Exchange shows a name as an object whose text is the name.
function Set-Property($Request) {
    $call = Read-Call $Request['call']
    $read = Read-Call $Request['read']
    $property = [string] $Request['property']
    $wanted = ''
    if ($null -ne $call.Parameters[$property]) { $wanted = [string] $call.Parameters[$property] }
    $isSo = {
        $objects = Invoke-Exchange $read.Name $read.Parameters
        if ($objects.Count -eq 0) { throw (New-Condition 'not_found' "$($read.Name) shows nothing") }
        ([string] $objects[0].$property) -eq $wanted
    }
    return @{ changed = (Invoke-Change $call.Name $isSo { Invoke-Exchange $call.Name $call.Parameters }) }
}

function Read-AuthConfig {
    $config = Invoke-Exchange 'Get-AuthConfig' @{}
    if ($config.Count -eq 0) { throw (New-Condition 'not_found' 'the organization has no Auth configuration') }
    return $config[0]
}

function Set-NextAuth($Request) {
    $call = Read-Call $Request['call']
    $wanted = [string] $Request['thumbprint']
    $isSo = {
        $config = Read-AuthConfig
        ([string] $config.NextCertificateThumbprint) -eq $wanted -or ([string] $config.CurrentCertificateThumbprint) -eq $wanted
    }
    # A date that has changed is set again, so it is not left out when the certificate is the next one already.
    [void] (Invoke-Blindly $call.Name { Invoke-Exchange $call.Name $call.Parameters })
    if (-not $Reply.WhatIf -and -not (& $isSo)) { throw (New-Condition 'not_reached' 'it is not the next certificate') }
    return @{ changed = (-not $Reply.WhatIf) }
}

function Publish-Auth($Request) {
    $call = Read-Call $Request['call']
    # The one that is meant; whoever only asks what would be done may not know it yet.
    $wanted = [string] $Request['thumbprint']
    $Reply.Stage = 'guard'
    $config = Read-AuthConfig
    if ($wanted -ne '' -and [string] $config.CurrentCertificateThumbprint -eq $wanted) { return @{ changed = $false; next = $wanted } }
    $next = [string] $config.NextCertificateThumbprint
    if ($next -eq '') { throw (New-Condition 'no_next' 'no certificate is staged') }
    if ($wanted -ne '' -and $next -ne $wanted) {
        throw (New-Condition 'precondition_failed' "somebody has staged another certificate since it was looked at: $next")
    }
    $isSo = { ([string] (Read-AuthConfig).CurrentCertificateThumbprint) -eq $next }
    return @{ changed = (Invoke-Change $call.Name $isSo { Invoke-Exchange $call.Name $call.Parameters }); next = $next }
}

# An Edge server acts by its own copy of connectors. The cmdlet returns when that is up to date, or says what failed.
function Start-Synchronization($Request) {
    $call = Read-Call $Request['call']
    $results = Invoke-Blindly $call.Name { Invoke-Exchange $call.Name $call.Parameters }
    $failed = @($results | Where-Object { $null -ne $_ -and [string] $_.FailureDetails -ne '' })
    if ($failed.Count -gt 0) {
        # What the organization has is not changed by it, and a copy that is behind can be made again.
        $Reply.Mutated = 'no'
        throw (New-Condition 'not_reached' ([string] $failed[0].FailureDetails))
    }
    return @{ changed = (-not $Reply.WhatIf) }
}

function Clear-PreviousAuth($Request) {
    $call = Read-Call $Request['call']
    $isSo = { ([string] (Read-AuthConfig).PreviousCertificateThumbprint) -eq '' }
    return @{ changed = (Invoke-Change $call.Name $isSo { Invoke-Exchange $call.Name $call.Parameters }) }
}

# A setting override takes all its parameters at once, so those that are not about the certificate are repeated.
function Set-Override($Request) {
    $read = Read-Call $Request['read']
    $call = Read-Call $Request['call']
    $entry = 'IMCertificateThumbprint=' + [string] $Request['thumbprint']
    $find = {
        $found = Invoke-Exchange $read.Name $read.Parameters
        if ($found.Count -eq 0) { throw (New-Condition 'not_found' 'there is no such setting override') }
        , @($found[0].Parameters | ForEach-Object { [string] $_ })
    }
    $Reply.Stage = 'guard'
    $kept = @((& $find) | Where-Object { $_ -notlike 'IMCertificateThumbprint=*' })
    $call.Parameters['Parameters'] = [string[]] ($kept + $entry)
    $changed = Invoke-Change $call.Name { (& $find) -contains $entry } { Invoke-Exchange $call.Name $call.Parameters }
    foreach ($refresh in $Request['refresh']) {
        $each = Read-Call $refresh
        [void] (Invoke-Blindly $each.Name { Invoke-Exchange $each.Name $each.Parameters })
    }
    return @{ changed = $changed }
}

# Empties the queues of transport into another server. Whatever becomes of that, the component is active again at the end:
# transport takes that up when it restarts, which comes next.
function Invoke-Drain($Request) {
    $calls = @{}
    foreach ($name in @('read', 'drain', 'redirect', 'queues', 'activate')) { $calls[$name] = Read-Call $Request[$name] }
    $run = { param($Call) Invoke-Exchange $Call.Name $Call.Parameters }
    $state = { $found = & $run $calls['read']; if ($found.Count -eq 0) { '' } else { [string] $found[0].State } }
    $Reply.Stage = 'guard'
    $now = & $state
    # Draining is what a run that was cut off leaves, and what somebody begins a maintenance with: the caller knows which.
    $isOwn = [bool] $Request['own'] -and $now -eq 'Draining'
    if ($now -ne 'Active' -and -not $isOwn) { throw (New-Condition 'not_found' "HubTransport is $now") }
    if ($Reply.WhatIf) { $Reply.WouldDo.Add($calls['drain'].Name); return @{ changed = $false } }
    $Reply.Stage = 'call'
    $Reply.Mutated = 'unknown'
    try {
        [void] (& $run $calls['drain'])
        [void] (& $run $calls['redirect'])
        $until = [datetime]::UtcNow.AddSeconds([int] $Request['seconds'])
        while ((Get-Waiting (& $run $calls['queues'])) -gt 0 -and [datetime]::UtcNow -lt $until) {
            Assert-NotCancelled
            Start-Sleep -Seconds 1
        }
    }
    finally {
        Invoke-Restoring $calls['activate']
        if ((& $state) -ne 'Active') { throw (New-Condition 'not_reached' 'HubTransport is not active again') }
        $Reply.Mutated = 'no'
    }
    $Reply.Mutated = 'yes'
    return @{ changed = $true }
}

# How many messages wait, but for those that other servers keep too and those that nobody can deliver.
function Get-Waiting($Queues) {
    $waiting = 0
    foreach ($queue in $Queues) {
        if ([string] $queue.DeliveryType -eq 'ShadowRedundancy' -or [string] $queue.Identity -like '*\Poison') { continue }
        $waiting += [int] [string] $queue.MessageCount
    }
    return $waiting
}
