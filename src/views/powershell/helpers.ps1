# ---- Helpers of the steps. By themselves they change no server; the cmdlets that do stand in the steps.

# Each step that was done is noted in this folder, beside the files that steps write: started again, the script goes on
# behind them. To begin from the start, delete the folder.
$home_folder = $HOME
if ($env:USERPROFILE) { $home_folder = $env:USERPROFILE }
$folder = [IO.Path]::Combine($home_folder, $plan_folder)
$record = [IO.Path]::Combine($folder, 'record.txt')
$null = [IO.Directory]::CreateDirectory($folder)
$here = [string]$env:COMPUTERNAME
$done = @{}
$made = @{}
$opened = @{}
$cleared = @{}
$stopped = @{}
if ([IO.File]::Exists($record)) {
    foreach ($line in [IO.File]::ReadAllLines($record)) {
        $words = @($line.Split(' '))
        if ($words[1] -eq 'stopped') { $stopped["$($words[0]) $($words[2])"] = $true }
        elseif ($words[1] -eq 'started') { $stopped.Remove("$($words[0]) $($words[2])") }
        elseif ($words[1] -eq 'done') { $done[[int]$words[0]] = $true }
        elseif ($words[1] -eq 'undone') { $done.Remove([int]$words[0]) }
        elseif ($words[1] -eq 'made') { $made[[int]$words[0]] = $words[2] }
    }
}

# Shows a step and says whether it is still to be done. With -Again one that only looks is done again, until a later
# step was done.
function Start-Step([int] $Number, [string] $Title, [switch] $Again) {
    Write-Host ''
    Write-Host "$Number $Title"
    if (-not $done.ContainsKey($Number)) { return $true }
    if ($Again -and @($done.Keys | Where-Object { $_ -gt $Number }).Count -eq 0) { return $true }
    Write-Host '   was done before'
    return $false
}

function Complete-Step([int] $Number) {
    [IO.File]::AppendAllText($record, "$Number done`r`n")
    $done[$Number] = $true
}

function Test-Machine([string] $Machine) {
    if ($Machine) { return $here -eq $Machine }
    return $own_machines -notcontains $here
}

# Whether steps belong to this computer. An Edge server and Exchange 2007 know their own certificates only.
function Test-Here([string] $Machine, [int[]] $Steps) {
    if (Test-Machine $Machine) { return $true }
    $left = @($Steps | Where-Object { -not $done.ContainsKey($_) })
    if ($left.Count -eq 0) { return $false }
    $where = 'the Exchange Management Shell of another server than ' + ($own_machines -join ', ')
    if ($Machine) { $where = $Machine }
    Write-Host ''
    Write-Host "Steps $($left -join ', ') are done on ${where}: run this script there now, up to there."
    $null = Read-Host 'Enter when they are done there'
    foreach ($step in $left) { Complete-Step $step }
    return $false
}

# Where a file of the plan is: its folder is made first.
function Get-PlanFile([string] $Name) {
    $file = [IO.Path]::Combine($folder, $Name.Replace('/', [string][IO.Path]::DirectorySeparatorChar))
    $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($file))
    return $file
}

# Asks for a file until it is there. Explorer's "Copy as path" adds quotes.
function Read-File([string] $What) {
    while ($true) {
        $text = ([string](Read-Host $What)).Trim().Trim('"')
        if ($text) {
            $path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($text)
            if ([IO.File]::Exists($path)) { return $path }
            Write-Host "   There is no file $path"
        }
    }
}

# One password for all PFX files that the script writes.
function Get-Password {
    while (-not $script:password -or $script:password.Length -eq 0) {
        Write-Host '   The keys of PFX files that this script writes get a password; give the same one each time.'
        $script:password = Read-Host 'Password' -AsSecureString
    }
    return $script:password
}

# A PFX file that an earlier step of this script has written.
function Get-Backup([string] $Name) {
    $file = Get-PlanFile $Name
    if (-not [IO.File]::Exists($file)) { throw "there is no backup $file" }
    return New-Object PSObject -Property @{ Path = $file; Bytes = [IO.File]::ReadAllBytes($file)
        Password = Get-Password }
}

# The CA's answer, from where the plan looks for it.
function Get-Answer([string] $Name) {
    $file = Get-PlanFile $Name
    while (-not [IO.File]::Exists($file)) {
        $null = Read-Host "Save the CA's answer as $file, then Enter; or end this and start the script again later"
    }
    return $file
}

# Writes what a cmdlet gave, when it gave something.
function Save-Bytes([string] $Name, $Bytes) {
    if ($null -eq $Bytes -or @($Bytes).Count -eq 0) { throw "there is nothing to write into $Name" }
    [IO.File]::WriteAllBytes((Get-PlanFile $Name), [byte[]]$Bytes)
    Write-Host "   saved as $(Get-PlanFile $Name)"
}

function Wait-Until([datetime] $Moment) {
    if ((Get-Date) -lt $Moment) { throw "not before $Moment of this computer: start the script again then" }
}

# A PFX file with its password, opened once to see that it can be read and what is in it.
function Open-Pfx([string] $Key, [string] $What, [string] $File) {
    if ($opened.ContainsKey($Key)) { return $opened[$Key] }
    if (-not $File) { $File = Read-File "PFX file: $What" }
    while ($true) {
        $secret = Read-Host "Password of $File" -AsSecureString
        try { $read = New-Object Security.Cryptography.X509Certificates.X509Certificate2($File, $secret); break }
        catch { Write-Host "   It cannot be opened: $($_.Exception.Message)" }
    }
    if (-not $read.HasPrivateKey) { throw "$File has no private key in it" }
    Write-Host "   $($read.Thumbprint), $($read.Subject), until $($read.NotAfter.ToString('yyyy-MM-dd'))"
    $opened[$Key] = New-Object PSObject -Property @{ Path = $File; Password = $secret; Certificate = $read
        Bytes = [IO.File]::ReadAllBytes($File) }
    return $opened[$Key]
}

# The certificate that a step made, by its thumbprint.
function Get-Made([int] $Step) {
    if (-not $made.ContainsKey($Step)) {
        if ($issued.ContainsKey($Step)) {
            $read = (Open-Pfx "$Step" $issued[$Step].What '').Certificate
            $shown = foreach ($extension in $read.Extensions) {
                if ($extension.Oid.Value -eq '2.5.29.17') { $extension.Format($false) -split '[=:,\s]+' }
            }
            foreach ($name in $issued[$Step].Names) {
                if (@($shown) -notcontains $name) { throw "the certificate in this PFX file has not the name $name" }
            }
            Save-Made $Step $read.Thumbprint
        }
        elseif ($maker.ContainsKey($Step) -and -not (Test-Machine $maker[$Step])) {
            $text = [string](Read-Host "Thumbprint of the certificate of step $Step, as it was shown where it was made")
            $text = $text.Trim().ToUpperInvariant()
            Save-Made $Step $text
        }
        else { throw "step $Step has not made its certificate yet" }
    }
    return $made[$Step]
}

function Save-Made([int] $Step, [string] $Thumbprint) {
    if ($Thumbprint -notmatch '^[0-9A-F]{40}$') { throw "step ${Step}: '$Thumbprint' is no thumbprint" }
    [IO.File]::AppendAllText($record, "$Step made $Thumbprint`r`n")
    $made[$Step] = $Thumbprint
}

# The PFX file of an issued certificate. It has to be the one that was taken before.
function Get-Issued([int] $Step) {
    $pfx = Open-Pfx "$Step" $issued[$Step].What ''
    if ($pfx.Certificate.Thumbprint -ne (Get-Made $Step)) { throw 'this PFX file has another certificate than before' }
    return $pfx
}

# A certificate by its bytes: the properties of what comes from another session may be empty.
function ConvertTo-Certificate($Object) {
    if ($null -eq $Object -or $null -eq $Object.RawData) { throw 'Exchange gave a certificate without its RawData' }
    return New-Object Security.Cryptography.X509Certificates.X509Certificate2(, [byte[]]$Object.RawData)
}

# The thumbprint in a file of a CA, which may hold its chain too.
function Get-ThumbprintOfFile([string] $File) {
    $all = New-Object Security.Cryptography.X509Certificates.X509Certificate2Collection
    $all.Import($File)
    $issuers = @($all | ForEach-Object { $_.Issuer })
    $leaves = @($all | Where-Object { $all.Count -eq 1 -or $issuers -notcontains $_.Subject })
    if ($leaves.Count -ne 1) { throw "$File holds $($leaves.Count) certificates of servers; one is needed" }
    return $leaves[0].Thumbprint
}

function Find-Certificate([string] $Thumbprint, [string] $Server) {
    if ($Thumbprint -notmatch '^[0-9A-F]{40}$') { throw "'$Thumbprint' is no thumbprint" }
    $on = @{}
    if ($Server) { $on['Server'] = $Server }
    foreach ($object in @(Get-ExchangeCertificate @on -ErrorAction Stop)) {
        if ($null -eq $object) { continue }
        $certificate = ConvertTo-Certificate $object
        if ($certificate.Thumbprint -eq $Thumbprint) {
            return New-Object PSObject -Property @{ Certificate = $certificate; HasKey = $object.HasPrivateKey }
        }
    }
}

# A certificate has to be there, with its key, before anything uses it.
function Assert-Certificate([string] $Thumbprint, [string] $Server) {
    $found = Find-Certificate $Thumbprint $Server
    if (-not $found) { throw "the certificate $Thumbprint is not there ($Server)" }
    if ($found.HasKey -eq $false) { throw "the certificate $Thumbprint is there without its private key ($Server)" }
    $end = $found.Certificate.NotAfter.ToString('yyyy-MM-dd')
    Write-Host "   there, with its key: $Thumbprint, until $end, $(Get-TlsName $found.Certificate)"
}

# The name by which connectors know a certificate.
function Get-TlsName($Certificate) {
    if ($null -eq $Certificate -or -not $Certificate.Issuer -or $null -eq $Certificate.Subject) {
        throw 'there is no issuer and subject to name the certificate by'
    }
    return "<I>$($Certificate.Issuer)<S>$($Certificate.Subject)"
}

# The same of one on a server; of one that is on another computer only, from its PFX file or from what was shown there.
function Get-TlsNameOf([string] $Thumbprint, [string] $Server, [switch] $Elsewhere) {
    if (-not $Elsewhere) {
        $found = Find-Certificate $Thumbprint $Server
        if ($found) { return Get-TlsName $found.Certificate }
        throw "the certificate $Thumbprint is not there ($Server)"
    }
    foreach ($pfx in $opened.Values) {
        if ($pfx.Certificate.Thumbprint -eq $Thumbprint) { return Get-TlsName $pfx.Certificate }
    }
    $text = [string](Read-Host "Name of $Thumbprint as it was shown where it is, <I>...<S>...")
    if ($text -notmatch '^<I>.+<S>.+$') { throw 'that is no name of the form <I>...<S>...' }
    return $text
}

# Runs a command on a server by PowerShell remoting, or here.
function Invoke-There([string] $Server, [scriptblock] $Command, [object[]] $Arguments) {
    if (-not $Server -or $Server -eq $here) { return & $Command @Arguments }
    return Invoke-Command -ComputerName $Server -ScriptBlock $Command -ArgumentList $Arguments -ErrorAction Stop
}

# Gives the one binding that is exactly this one another certificate. The filters of Get-WebBinding would find those
# with a host name or an address too.
function Set-SiteCertificate([string] $Server, [string] $Site, [string] $Address, [int] $Port, [string] $Name,
    [string] $Thumbprint) {
    $set = {
        param($site, $address, $port, $name, $thumbprint)
        $ErrorActionPreference = 'Stop'
        Import-Module WebAdministration
        $wanted = @("${address}:${port}:$name")
        if ($address -eq '*') { $wanted = @("*:${port}:$name", "0.0.0.0:${port}:$name", ":${port}:$name") }
        $find = {
            Get-WebBinding -Name $site -Protocol https |
                Where-Object { $wanted -contains $_.bindingInformation }
        }
        $found = @(& $find)
        if ($found.Count -ne 1) { throw "$site has $($found.Count) bindings $($wanted[0])" }
        if (([int]$found[0].sslFlags -band 2) -ne 0) {
            throw "$site takes the certificate of $($wanted[0]) from the central certificate store"
        }
        $before = [string]$found[0].certificateHash
        $store = [string]$found[0].certificateStoreName
        if ($store -eq '') { $store = 'My' }
        if ($before -eq $thumbprint) { return }
        try { $found[0].AddSslCertificate($thumbprint, 'My') }
        finally {
            # Whatever went wrong, the site does not stay without the certificate that it had.
            $now = @(& $find)
            if ($before -ne '' -and $now.Count -eq 1 -and [string]$now[0].certificateHash -eq '') {
                $now[0].AddSslCertificate($before, $store)
            }
        }
    }
    Invoke-There $Server $set @($Site, $Address, $Port, $Name, $Thumbprint)
}

# Which of these run, or would if an earlier start of this script had not stopped them.
function Get-Running([string] $Server, [string[]] $Names) {
    $read = {
        param([string[]] $names)
        $ErrorActionPreference = 'Stop'
        foreach ($name in $names) {
            $service = Get-Service | Where-Object { $_.Name -eq $name }
            if ($service -and "$($service.Status)" -eq 'Running') { $name }
        }
    }
    $running = @(Invoke-There $Server $read @(, $Names))
    return @($Names | Where-Object { $running -contains $_ -or $stopped.ContainsKey((Get-ServiceKey $Server $_)) })
}

function Get-ServiceKey([string] $Server, [string] $Name) {
    if ($Server) { return "$Server $Name" }
    return "$here $Name"
}

# What is stopped is noted first, and crossed out when it runs again: it is known whatever ends the script in between.
function Save-Stopped([string] $Server, [string] $Name) {
    $key = Get-ServiceKey $Server $Name
    if ($stopped.ContainsKey($key)) { return }
    [IO.File]::AppendAllText($record, "$($key.Replace(' ', ' stopped '))`r`n")
    $stopped[$key] = $true
}

function Save-Started([string] $Server, [string] $Name) {
    $key = Get-ServiceKey $Server $Name
    if (-not $stopped.ContainsKey($key)) { return }
    [IO.File]::AppendAllText($record, "$($key.Replace(' ', ' started '))`r`n")
    $stopped.Remove($key)
}

# Restarts those that run, with what depends on them, and starts none that is stopped: POP and IMAP are, until somebody
# wants them. One that stops and does not start again is tried once more, and by the next start of this script.
function Restart-Running([string] $Server, [string[]] $Names) {
    $restart = {
        param([string] $name)
        $ErrorActionPreference = 'Stop'
        try { Restart-Service -Name $name -Force }
        catch {
            $why = $_
            try { Start-Service -Name $name }
            catch { throw "$name is stopped and does not start: $($_.Exception.Message); before: $why" }
            throw $why
        }
    }
    $running = @(Get-Running $Server $Names)
    foreach ($name in $Names) {
        if ($running -notcontains $name) {
            Write-Host "   $name does not run and is left alone"
            continue
        }
        Save-Stopped $Server $name
        Invoke-There $Server $restart @($name)
        Save-Started $Server $name
        Write-Host "   $name was restarted"
    }
}

# Waits until the queues of a server are empty, but for what other servers keep too and what nobody can deliver.
function Wait-Queues([string] $Server) {
    $until = [datetime]::UtcNow.AddMinutes(2)
    while ($true) {
        $waiting = 0
        foreach ($queue in @(Get-Queue -Server $Server -ErrorAction Stop)) {
            if ("$($queue.DeliveryType)" -eq 'ShadowRedundancy' -or "$($queue.Identity)" -like '*\Poison') { continue }
            $waiting += [int] "$($queue.MessageCount)"
        }
        if ($waiting -eq 0) { return }
        if ([datetime]::UtcNow -gt $until) {
            Write-Host "   $waiting messages are still in the queues of $Server; they wait there for the restart"
            return
        }
        Start-Sleep -Seconds 5
    }
}

# Stops those that run. Their names are in the table before the first one stops, so that all of them are started again.
function Stop-Running([string] $Server, [string[]] $Names, [hashtable] $Ran) {
    $stop = {
        param([string] $name)
        $ErrorActionPreference = 'Stop'
        Stop-Service -Name $name -Force
    }
    $running = @(Get-Running $Server $Names)
    $Ran[$Server] = @($Ran[$Server]) + $running | Where-Object { $_ }
    foreach ($name in $running) {
        Save-Stopped $Server $name
        Invoke-There $Server $stop @($name)
    }
}

# Starts each of them, whatever becomes of the others, and fails when one of them does not.
function Start-Stopped([string] $Server, [string[]] $Names) {
    $start = {
        param([string] $name)
        $ErrorActionPreference = 'Stop'
        Start-Service -Name $name
    }
    $failures = @()
    foreach ($name in @($Names | Where-Object { $_ })) {
        try {
            Invoke-There $Server $start @($name)
            Save-Started $Server $name
        }
        catch { $failures += "$name of $Server does not start: $($_.Exception.Message)" }
    }
    foreach ($failure in $failures) { Write-Host "   NOT STARTED: $failure" }
    if ($failures) { throw ($failures -join '; ') }
}

# Starts what stands still because of this script, and says what does not start.
function Start-Left {
    foreach ($key in @($stopped.Keys)) {
        $server, $name = $key.Split(' ')
        try { Start-Stopped $server @($name); Write-Host "   started again: $name of $server" }
        catch { Write-Host "   STOPPED BY THIS SCRIPT and not started, start it by hand: $name of $server" }
    }
}

function Restart-Pools([string] $Server, [string[]] $Names) {
    $restart = {
        param([string[]] $names)
        $ErrorActionPreference = 'Stop'
        Import-Module WebAdministration
        foreach ($name in $names) { Restart-WebAppPool -Name $name }
    }
    Invoke-There $Server $restart @(, $Names)
}
