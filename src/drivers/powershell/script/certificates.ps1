# The certificates of a server: made, imported, exported, enabled and removed.

# Every certificate and pending request of a server, by thumbprint. Only the bytes are read: they come in every shell.
function Read-Store($Request) {
    $on = @{}
    if (-not $Request['local_only']) { $on = @{ Server = [string] $Request['server']['name'] } }
    $store = @{}
    foreach ($object in (Invoke-Exchange 'Get-ExchangeCertificate' $on)) {
        $raw = [byte[]] $object.RawData
        $certificate = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, $raw)
        $store[$certificate.Thumbprint] = $certificate
    }
    return $store
}

function Assert-Stored($Store, [string] $Thumbprint) {
    if (-not $Store.ContainsKey($Thumbprint)) {
        throw (New-Condition 'not_found' "the certificate $Thumbprint is not there")
    }
}

# What is there now and was not before: the certificate or the request that a cmdlet has just made.
function Find-New($Request, $Before) {
    $new = New-Object System.Collections.ArrayList
    foreach ($entry in (Read-Store $Request).GetEnumerator()) {
        if (-not $Before.ContainsKey($entry.Key)) { [void] $new.Add($entry.Value.RawData) }
    }
    return , $new.ToArray()
}

function New-Certificate($Request) {
    $call = Read-Call $Request['call']
    $Reply.Stage = 'guard'
    $before = Read-Store $Request
    $made = Invoke-Blindly 'New-ExchangeCertificate' { Invoke-Exchange $call.Name $call.Parameters }
    if ($Reply.WhatIf) { return @{ changed = $false } }
    $Reply.Stage = 'check'
    $result = @{ changed = $true; new = (Find-New $Request $before); request = $null }
    foreach ($object in $made) {
        if ($object -is [string]) { $result.request = $object; continue }
        $bytes = $object.PSObject.Properties['FileData']
        if ($null -ne $bytes -and $null -ne $bytes.Value) {
            $result.request = [System.Convert]::ToBase64String([byte[]] $bytes.Value)
        }
    }
    return $result
}

# A CA's answer. Without its request, Exchange would import a certificate without key.
function Import-Answer($Request) {
    $call = Read-Call $Request['call']
    $answer = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 `
        -ArgumentList (, [System.Convert]::FromBase64String([string] $Request['certificate']))
    $Reply.Stage = 'guard'
    $store = Read-Store $Request
    if ($store.ContainsKey($answer.Thumbprint)) { return @{ changed = $false } }
    $key = [System.Convert]::ToBase64String($answer.GetPublicKey())
    $has = $false
    foreach ($certificate in $store.Values) {
        if ([System.Convert]::ToBase64String($certificate.GetPublicKey()) -eq $key) { $has = $true }
    }
    if (-not $has) { throw (New-Condition 'no_request' 'there is no request that this certificate answers') }
    return Import-Any $Request $call $answer.Thumbprint
}

function Import-Bundle($Request) {
    return Import-Any $Request (Read-Call $Request['call']) ([string] $Request['thumbprint'])
}

function Import-Any($Request, $call, [string] $thumbprint) {
    $changed = Invoke-Change 'Import-ExchangeCertificate' { (Read-Store $Request).ContainsKey($thumbprint) } {
        Invoke-Exchange $call.Name $call.Parameters
    }
    return @{ changed = $changed }
}

function Export-Bundle($Request) {
    $Reply.Stage = 'guard'
    $thumbprint = [string] $Request['thumbprint']
    $store = Read-Store $Request
    Assert-Stored $store $thumbprint
    $result = @{ certificate = $store[$thumbprint].RawData; pfx = $null }
    if ($null -ne $Request['call']) {
        $Reply.Stage = 'call'
        $call = Read-Call $Request['call']
        $exported = Invoke-Exchange $call.Name $call.Parameters
        $result.pfx = [byte[]] $exported[0].FileData
    }
    return $result
}

# Enabling is additive, and there is no way back. Whether the default SMTP certificate stays is asked by a prompt, which
# a host has to answer; -Force answers yes.
function Enable-Certificate($Request) {
    $call = Read-Call $Request['call']
    $Reply.Stage = 'guard'
    Assert-Stored (Read-Store $Request) ([string] $Request['thumbprint'])
    $saysNo = [bool] $Request['keep_default']
    if ($saysNo -and $null -eq $Session.Answers) {
        throw (New-Condition 'confirmation_required' 'nobody here can answer whether the default SMTP certificate stays')
    }
    if ($saysNo) { $Session.Answers.UI.SaysNo = $true }
    try { [void] (Invoke-Blindly $call.Name { Invoke-Exchange $call.Name $call.Parameters }) }
    finally { if ($null -ne $Session.Answers) { $Session.Answers.UI.SaysNo = $false } }
    return @{ changed = (-not $Reply.WhatIf) }
}

# Removes a certificate or a pending request. What it must not be is read again in the same call.
function Remove-Certificate($Request) {
    $call = Read-Call $Request['call']
    $thumbprint = [string] $Request['thumbprint']
    $isGone = { -not (Read-Store $Request).ContainsKey($thumbprint) }
    $Reply.Stage = 'guard'
    if (& $isGone) {
        # Whoever asks what would be done has asked for the removal before, and the answer was lost.
        if ($Reply.WhatIf) { return @{ changed = $false } }
        throw (New-Condition 'not_found' "the certificate $thumbprint is not there")
    }
    if (-not $Request['is_request']) { Assert-Unused $Request $thumbprint }
    $services = [string[]] @($Request['while_stopped'])
    $changed = $false
    try {
        $changed = Invoke-Change 'Remove-ExchangeCertificate' $isGone {
            Invoke-WhileStopped $Request['server'] $services $thumbprint ([int] $Request['seconds']) {
                Invoke-Exchange $call.Name $call.Parameters
            }
        }
    }
    catch {
        if ($null -eq $Reply.NotRunning) { throw }
        $Reply.Mutated = 'unknown'
        throw (New-Condition 'service_timeout' "$($Reply.NotRunning); and before that: $($_.Exception.Message)")
    }
    # It is gone, and that the server is not whole again is an error all the same.
    if ($null -ne $Reply.NotRunning) { throw (New-Condition 'service_timeout' "the certificate is removed, and services are $($Reply.NotRunning)") }
    return @{ changed = $changed }
}

# Removes certificates that send connectors name. They name none meanwhile, and transport stands still where they send from;
# whatever becomes of it, they name what they named, and all of these services run: they ran when this was planned, and one
# that does not may have been stopped by a call that was cut off.
function Remove-NamedCertificates($Request) {
    $clear = @($Request['clear'] | ForEach-Object { Read-Call $_ })
    $named = @($Request['name'] | ForEach-Object { Read-Call $_ })
    $remove = @($Request['remove'] | ForEach-Object { Read-Call $_ })
    $seconds = [int] $Request['seconds']
    $Reply.Stage = 'guard'
    foreach ($still in $Request['still']) { Assert-Allowed ([string[]] $still['services']) $AllowedServices }
    foreach ($place in $Request['removals']) { Assert-Unused $place ([string] $place['thumbprint']) }
    if ($Reply.WhatIf) { $Reply.WouldDo.Add('Remove-ExchangeCertificate'); return @{ changed = $false } }
    $Reply.Stage = 'call'
    $Reply.Mutated = 'unknown'
    $toStart = New-Object System.Collections.Generic.List[object]
    $failed = $null
    $names = @()
    $services = @()
    try {
        foreach ($still in $Request['still']) {
            $wanted = [string[]] $still['services']
            $found = Invoke-OnServer $still['server'] $ReadServices @(, $wanted)
            $all = [string[]] @($found | Where-Object { -not $_['Disabled'] } | ForEach-Object { [string] $_['Name'] })
            $running = [string[]] @($found | Where-Object { $_['Status'] -eq 'Running' } | ForEach-Object { [string] $_['Name'] })
            if ($all.Length -gt 0) { $toStart.Add(@{ Server = $still['server']; Names = $all }) }
            if ($running.Length -eq 0) { continue }
            [void] (Invoke-OnServer $still['server'] $StopServices @(, $running))
            Wait-Services $still['server'] $running 'Stopped' $seconds
        }
        foreach ($call in $clear) { [void] (Invoke-Exchange $call.Name $call.Parameters) }
        $until = [datetime]::UtcNow.AddSeconds([int] $Request['replication_seconds'])
        for ($index = 0; $index -lt $remove.Length; $index++) {
            $place = $Request['removals'][$index]
            $isGone = { -not (Read-Store $place).ContainsKey([string] $place['thumbprint']) }
            while (-not (& $isGone)) {
                $refusal = New-Condition 'not_reached' 'Remove-ExchangeCertificate reported success, and the certificate is there'
                # Its domain controller may not know yet that the connectors name none.
                try {
                    [void] (Invoke-Exchange $remove[$index].Name $remove[$index].Parameters)
                    if (& $isGone) { break }
                }
                catch {
                    if ($Session.Cancelled) { throw }
                    $refusal = $_
                }
                # Nobody waits longer than that, whatever the cmdlet says: transport stands still.
                if ([datetime]::UtcNow -gt $until) { throw $refusal }
                Assert-NotCancelled
                Start-Sleep -Seconds 5
            }
        }
    }
    catch { $failed = $_ }
    finally {
        foreach ($call in $named) {
            try { Invoke-Restoring $call }
            catch { $names += $_.Exception.Message }
        }
        foreach ($entry in $toStart) {
            try { Start-Listed $entry.Server $entry.Names $seconds }
            catch { $services += $_.Exception.Message }
        }
    }
    $after = ''
    if ($null -ne $failed) { $after = "; and before that: $($failed.Exception.Message)" }
    if ($names.Length -gt 0) { throw (New-Condition 'not_reached' "a connector does not name its certificate again: $(($names + $services) -join '; ')$after") }
    if ($services.Length -gt 0) { throw (New-Condition 'service_timeout' "$($services -join '; ')$after") }
    if ($null -ne $failed) { throw $failed }
    $Reply.Mutated = 'yes'
    return @{ changed = $true }
}

function Assert-Unused($Request, [string] $thumbprint) {
    $name = [string] $Request['server']['name']
    foreach ($service in (Invoke-Exchange 'Get-TransportService' @{ Identity = $name })) {
        if ([string] $service.InternalTransportCertificateThumbprint -eq $thumbprint) {
            throw (New-Condition 'in_use' 'it is the internal transport certificate')
        }
    }
    if ($Request['local_only']) { return }
    foreach ($config in (Invoke-Exchange 'Get-AuthConfig' @{})) {
        foreach ($property in @('CurrentCertificateThumbprint', 'NextCertificateThumbprint')) {
            if ([string] $config.$property -eq $thumbprint) { throw (New-Condition 'in_use' "it is $property of the Auth configuration") }
        }
    }
    Assert-Unbound $Request $thumbprint
}

function Assert-Unbound($Request, [string] $thumbprint) {
    foreach ($binding in (Invoke-OnServer $Request['server'] $ReadBindings @())) {
        if ([string] $binding.certificateHash -eq $thumbprint) {
            throw (New-Condition 'in_use' "the IIS binding $($binding.bindingInformation) has it")
        }
    }
}

function Test-Unbound($Request) {
    $Reply.Stage = 'guard'
    Assert-Unbound $Request ([string] $Request['thumbprint'])
    return @{ changed = $false }
}
