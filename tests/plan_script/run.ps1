# Runs the scripts of plans behind stand-ins. Each folder below the given one holds `script.ps1` and `state.json`; for each,
# `result.json` says what was called and said, and what a failing call and a second run came to.
param([string] $Root, [string] $Standin)
Microsoft.PowerShell.Core\Import-Module $Standin -DisableNameChecking
$ErrorActionPreference = 'Stop'
$global:ErrorActionPreference = 'Continue'

function ConvertTo-State([string] $File) {
    $state = [IO.File]::ReadAllText($File) | ConvertFrom-Json -AsHashtable
    foreach ($server in $state.servers.Values) {
        $store = New-Object System.Collections.ArrayList
        foreach ($one in @($server.certificates)) {
            if (-not $one) { continue }
            $raw = [Convert]::FromBase64String($one.raw)
            [void] $store.Add(@{ thumbprint = $one.thumbprint; raw = $raw; subject = $one.subject; friendlyName = ''
                    services = New-Object System.Collections.ArrayList })
        }
        $server.certificates = $store
    }
    return $state
}

# What the servers have in the end, without thumbprints of certificates that are made each time anew.
function Get-End($State) {
    $lines = foreach ($name in ($State.servers.Keys | Sort-Object)) {
        $server = $State.servers[$name]
        $by = @{}
        foreach ($one in $server.certificates) { $by[$one.thumbprint] = $one.subject }
        $server.certificates | ForEach-Object { "$name $($_.subject) $(($_.services | Sort-Object) -join ',')" } | Sort-Object
        foreach ($site in @($server.sites)) { if ($site) { "$name $($site.site) $($site.information) $($by[[string]$site.hash])" } }
        foreach ($entry in $server.services.GetEnumerator()) { "$name $($entry.Key) $($entry.Value)" }
    }
    $settings = foreach ($key in ($State.settings.Keys | Sort-Object)) {
        foreach ($property in ($State.settings[$key].Keys | Sort-Object)) {
            if ($key -ne 'AuthConfig') { "$key $property $($State.settings[$key][$property])" }
        }
    }
    return (@($lines) + @($settings)) -join "`n"
}

# What ran and does not any more, and bindings that had a certificate and have none.
function Get-Standing($State, [string] $File) {
    $first = ConvertTo-State $File
    return @(foreach ($name in $first.servers.Keys) {
        foreach ($entry in $first.servers[$name].services.GetEnumerator()) {
            $now = $State.servers[$name].services[$entry.Key]
            if ($entry.Value -eq 'Running' -and $now -ne 'Running') { "$name $($entry.Key)" }
        }
        foreach ($binding in $State.servers[$name].sites) {
            if ($binding.first -and -not $binding.hash) { "$name $($binding.information)" }
        }
    })
}

function Invoke-Run([string] $Script, $State, [string] $User, [string] $Computer, [int] $FailAt, [string] $FailRead,
    [bool] $SaysNo) {
    $null = [IO.Directory]::CreateDirectory($User)
    $env:USERPROFILE = $User
    $env:COMPUTERNAME = $Computer
    Set-Standin $State $FailAt $FailRead $SaysNo
    $global:ErrorActionPreference = 'Continue'
    $failed = ''
    try { $null = & $Script }
    catch { $failed = "$($_.Exception.Message) at $($_.InvocationInfo.ScriptLineNumber): $($_.InvocationInfo.Line)" }
    if ($global:ErrorActionPreference -ne 'Continue') { $failed = "the preference is left as another one; $failed" }
    return @{ Calls = (Get-StandinCalls); Said = (Get-StandinSaid); Failed = $failed }
}

foreach ($folder in [IO.Directory]::GetDirectories($Root)) {
    $script = "$folder/script.ps1"
    $first = ConvertTo-State "$folder/state.json"
    $result = @{ Runs = @(); Again = @(); Stops = @() }
    foreach ($computer in @($first.computers)) {
        $run = Invoke-Run $script $first "$folder/user-$computer" $computer 0 ''
        $result.Runs += @{ Computer = $computer; Calls = $run.Calls; Said = $run.Said; Failed = $run.Failed }
    }
    $end = Get-End $first
    foreach ($computer in @($first.computers)) {
        $run = Invoke-Run $script $first "$folder/user-$computer" $computer 0 ''
        $result.Again += @{ Computer = $computer; Calls = $run.Calls; Failed = $run.Failed }
    }
    # One that fails stops it there, and the next start goes on to the same end.
    $computer = @($first.computers)[0]
    $count = 0
    # Of services the first that is restarted and the last that is stopped: others stand still by then.
    $halts = @{}
    foreach ($call in $result.Runs[0].Calls) {
        $count++
        if ($call -like 'Stop-Service*') { $halts['stop'] = $count }
        if ($call -like 'AddSslCertificate*' -and -not $halts['bind']) { $halts['bind'] = $count }
        if ($call -like 'Restart-Service*' -and -not $halts['restart']) { $halts['restart'] = $count }
    }
    foreach ($at in ((@(1, [int]($count / 2), $count) + @($halts.Values)) | Where-Object { $_ -gt 0 -and $_ -le $count } | Sort-Object -Unique)) {
        $state = ConvertTo-State "$folder/state.json"
        $user = "$folder/fails-$at"
        $stopped = Invoke-Run $script $state $user $computer $at ''
        $standing = @(Get-Standing $state "$folder/state.json")
        $resumed = Invoke-Run $script $state $user $computer 0 ''
        foreach ($other in (@($first.computers) | Select-Object -Skip 1)) {
            $null = Invoke-Run $script $state "$folder/fails-$at-$other" $other 0 ''
        }
        $result.Stops += @{ At = $at; Calls = $stopped.Calls; Failed = $stopped.Failed; Resumed = $resumed.Failed
            Same = ((Get-End $state) -eq $end); End = (Get-End $state); Expected = $end
            Standing = $standing }
    }
    if ($count -gt 0) {
        $state = ConvertTo-State "$folder/state.json"
        $read = Invoke-Run $script $state "$folder/blind" $computer 0 'Get-ExchangeCertificate'
        $result.Blind = @{ Calls = $read.Calls; Failed = $read.Failed }
        if (@($result.Runs[0].Calls | Where-Object { $_ -like 'Remove-ExchangeCertificate*' }).Count -gt 0) {
            $state = ConvertTo-State "$folder/state.json"
            $refused = Invoke-Run $script $state "$folder/refused" $computer 0 '' $true
            $result.Refused = @{ Calls = $refused.Calls; Failed = $refused.Failed; Said = $refused.Said }
        }
    }
    [IO.File]::WriteAllText("$folder/result.json", ($result | ConvertTo-Json -Depth 6))
}
