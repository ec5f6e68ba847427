# Stand-ins for the cmdlets of Exchange, IIS and Windows, over a state in memory. They are functions of a module, as implicit
# remoting makes them: they see the global error preference only, errors arrive as non-terminating ones, and certificates
# come back as little more than their bytes.

$script:State = $null
$script:Calls = New-Object System.Collections.ArrayList
$script:Said = New-Object System.Collections.ArrayList
$script:FailAt = 0
$script:FailRead = ''
$script:On = ''
$script:SaysNo = $false

function Set-Standin($State, [int] $FailAt, [string] $FailRead, [bool] $SaysNo) {
    $script:SaysNo = $SaysNo
    $script:State = $State
    $script:Calls.Clear()
    $script:Said.Clear()
    $script:FailAt = $FailAt
    $script:FailRead = $FailRead
    $script:On = ''
}
function Get-StandinCalls { return , @($script:Calls) }
function Get-StandinSaid { return , @($script:Said) }

# Notes a change, and fails when its turn is to.
function Test-Change([string] $Text) {
    [void] $script:Calls.Add($Text)
    if ($script:Calls.Count -ne $script:FailAt) { return $true }
    Write-Error "standin: $Text could not be performed" -ErrorAction $global:ErrorActionPreference
    return $false
}
function Test-Read([string] $Name) {
    if ($script:FailRead -ne $Name) { return $true }
    Write-Error "standin: $Name could not be performed" -ErrorAction $global:ErrorActionPreference
    return $false
}
function Get-On([string] $Server) { if ($Server) { $Server } else { $env:COMPUTERNAME } }
function Get-Store([string] $Server) {
    $name = Get-On $Server
    if (-not $script:State.servers.ContainsKey($name)) { throw "standin: there is no server $name" }
    return , $script:State.servers[$name].certificates
}
function Find-Stored([string] $Server, [string] $Thumbprint) {
    $found = @((Get-Store $Server) | Where-Object { $_.thumbprint -eq $Thumbprint })
    if ($found.Count -ne 1) { throw "standin: $Thumbprint is not on $(Get-On $Server)" }
    return $found[0]
}
function New-Stored([byte[]] $Raw, [string] $FriendlyName) {
    $read = New-Object Security.Cryptography.X509Certificates.X509Certificate2(, $Raw)
    return @{ thumbprint = $read.Thumbprint; raw = $Raw; subject = $read.Subject; friendlyName = $FriendlyName
        services = New-Object System.Collections.ArrayList }
}
function New-SelfSigned([string] $Subject, [string[]] $Names) {
    $key = [Security.Cryptography.RSA]::Create(2048)
    $request = New-Object Security.Cryptography.X509Certificates.CertificateRequest($Subject, $key,
        [Security.Cryptography.HashAlgorithmName]::SHA256, [Security.Cryptography.RSASignaturePadding]::Pkcs1)
    if ($Names) {
        $names_of = New-Object Security.Cryptography.X509Certificates.SubjectAlternativeNameBuilder
        foreach ($name in $Names) { $names_of.AddDnsName($name) }
        $request.CertificateExtensions.Add($names_of.Build())
    }
    return $request.CreateSelfSigned('2026-03-01', '2027-03-01')
}
function Add-Services($Stored, [string] $Server, $Services) {
    foreach ($service in @($Services)) {
        if ($service -eq 'None') { continue }
        if ($Stored.services -notcontains "$service") { [void] $Stored.services.Add("$service") }
        if ("$service" -eq 'SMTP') { [void] $script:Said.Add("ASK $(Get-On $Server)") }
    }
}

function Get-ExchangeCertificate { [CmdletBinding()] param($Server, $Thumbprint)
    if (-not (Test-Read 'Get-ExchangeCertificate')) { return }
    foreach ($one in (Get-Store $Server)) {
        New-Object PSObject -Property @{ RawData = $one.raw; HasPrivateKey = $true }
    }
}
function New-ExchangeCertificate { [CmdletBinding()] param($Server, [switch] $GenerateRequest, $SubjectName, $DomainName,
        $KeySize, $PrivateKeyExportable, $FriendlyName, $Services, $Path)
    if (-not (Test-Change "New-ExchangeCertificate $(Get-On $Server)")) { return }
    if ($GenerateRequest) {
        if ($Path) { [IO.File]::WriteAllText($Path, 'a request'); return }
        return '-----BEGIN NEW CERTIFICATE REQUEST-----'
    }
    $new = New-Stored (New-SelfSigned $SubjectName $DomainName).RawData $FriendlyName
    Add-Services $new $Server $Services
    [void] (Get-Store $Server).Add($new)
    New-Object PSObject -Property @{ RawData = $new.raw }
}
function Import-ExchangeCertificate { [CmdletBinding()] param($Server, $FileData, $Path, $Password, $FriendlyName,
        $PrivateKeyExportable)
    if (-not (Test-Change "Import-ExchangeCertificate $(Get-On $Server)")) { return }
    if ($Path) { $FileData = [IO.File]::ReadAllBytes($Path) }
    if ($Password) {
        $read = New-Object Security.Cryptography.X509Certificates.X509Certificate2([byte[]] $FileData, $Password)
    }
    else { $read = New-Object Security.Cryptography.X509Certificates.X509Certificate2(, [byte[]] $FileData) }
    if (@((Get-Store $Server) | Where-Object { $_.thumbprint -eq $read.Thumbprint }).Count) { throw 'standin: already exists' }
    $new = New-Stored $read.RawData $FriendlyName
    [void] (Get-Store $Server).Add($new)
    New-Object PSObject -Property @{ RawData = $new.raw }
}
function Export-ExchangeCertificate { [CmdletBinding()] param($Server, $Thumbprint, [switch] $BinaryEncoded, $Password, $Path)
    $stored = Find-Stored $Server $Thumbprint
    if (-not $Password) { throw 'standin: a password is needed' }
    if ($Path) { [IO.File]::WriteAllBytes($Path, $stored.raw); return }
    New-Object PSObject -Property @{ FileData = $stored.raw }
}
function Enable-ExchangeCertificate { [CmdletBinding()] param($Server, $Thumbprint, $Services, [switch] $DoNotRequireSsl)
    $stored = Find-Stored $Server $Thumbprint
    if (-not (Test-Change "Enable-ExchangeCertificate $(Get-On $Server) $(@($Services) -join ',')")) { return }
    Add-Services $stored $Server $Services
}
function Remove-ExchangeCertificate { [CmdletBinding()] param($Server, $Thumbprint)
    $stored = Find-Stored $Server $Thumbprint
    if (-not (Test-Change "Remove-ExchangeCertificate $(Get-On $Server)")) { return }
    if ($script:SaysNo) { return }
    [void] (Get-Store $Server).Remove($stored)
}

# Settings: a table of objects by cmdlet and identity.
function Get-Setting([string] $Name) {
    if (-not $script:State.settings.ContainsKey($Name)) { $script:State.settings[$Name] = @{} }
    return $script:State.settings[$Name]
}
function Set-Setting([string] $Cmdlet, [string] $Noun, [string] $Identity, [string] $Property, $Value) {
    if (-not (Test-Change "$Cmdlet $Identity".Trim())) { return }
    $setting = Get-Setting "$Noun $Identity".Trim()
    $setting[$Property] = $Value
}
function Get-SendConnector { [CmdletBinding()] param($Identity)
    if (-not (Test-Read 'Get-SendConnector')) { return }
    New-Object PSObject -Property @{ TlsCertificateName = (Get-Setting "SendConnector $Identity")['TlsCertificateName'] }
}
function Set-SendConnector { [CmdletBinding()] param($Identity, $TlsCertificateName)
    Set-Setting 'Set-SendConnector' 'SendConnector' $Identity 'TlsCertificateName' $TlsCertificateName
}
function Start-EdgeSynchronization { [CmdletBinding()] param($Server)
    $null = Test-Change "Start-EdgeSynchronization $Server"
}
function Set-ReceiveConnector { [CmdletBinding()] param($Identity, $TlsCertificateName)
    Set-Setting 'Set-ReceiveConnector' 'ReceiveConnector' $Identity 'TlsCertificateName' $TlsCertificateName
}
function Set-HybridConfiguration { [CmdletBinding()] param($TlsCertificateName)
    Set-Setting 'Set-HybridConfiguration' 'Hybrid' '' 'TlsCertificateName' $TlsCertificateName
}
function Get-AuthConfig { [CmdletBinding()] param()
    $auth = Get-Setting 'AuthConfig'
    New-Object PSObject -Property @{ CurrentCertificateThumbprint = $auth['current'] }
}
function Set-AuthConfig { [CmdletBinding()] param($NewCertificateThumbprint, $NewCertificateEffectiveDate,
        [switch] $PublishCertificate, [switch] $ClearPreviousCertificate, [switch] $Force)
    if (-not (Test-Change 'Set-AuthConfig')) { return }
    $auth = Get-Setting 'AuthConfig'
    if ($NewCertificateThumbprint) { $auth['next'] = $NewCertificateThumbprint }
    if ($PublishCertificate) { $auth['current'] = $auth['next'] }
}
function Set-PopSettings { [CmdletBinding()] param($Server, $X509CertificateName)
    Set-Setting 'Set-PopSettings' 'Pop' (Get-On $Server) 'X509CertificateName' $X509CertificateName
}
function Set-ImapSettings { [CmdletBinding()] param($Server, $X509CertificateName)
    Set-Setting 'Set-ImapSettings' 'Imap' (Get-On $Server) 'X509CertificateName' $X509CertificateName
}
function Set-UMService { [CmdletBinding()] param($Identity, $UMStartupMode)
    Set-Setting 'Set-UMService' 'Um' $Identity 'UMStartupMode' "$UMStartupMode"
}
function Set-UMServer { [CmdletBinding()] param($Identity, $UMStartupMode)
    Set-Setting 'Set-UMServer' 'Um' $Identity 'UMStartupMode' "$UMStartupMode"
}
function Set-UMCallRouterSettings { [CmdletBinding()] param($Server, $UMStartupMode)
    Set-Setting 'Set-UMCallRouterSettings' 'UmCallRouter' $Server 'UMStartupMode' "$UMStartupMode"
}
function Get-SettingOverride { [CmdletBinding()] param($Identity)
    New-Object PSObject -Property @{ Parameters = @('IMEnabled=true', 'IMCertificateThumbprint=old') }
}
function Set-SettingOverride { [CmdletBinding()] param($Identity, $Parameters, $Reason)
    if (@($Parameters).Count -ne 2) { throw "standin: $Parameters" }
    Set-Setting 'Set-SettingOverride' 'Override' $Identity 'Parameters' ''
}
function Get-ExchangeDiagnosticInfo { [CmdletBinding()] param($Server, $Process, $Component, $Argument)
    $null = Test-Change "Get-ExchangeDiagnosticInfo $Server"
}

function Set-ServerComponentState { [CmdletBinding()] param($Identity, $Component, $State, $Requester)
    Set-Setting 'Set-ServerComponentState' $Component $Identity 'State' "$State"
}
function Redirect-Message { [CmdletBinding()] param($Server, $Target)
    if ((Get-Setting "HubTransport $Server")['State'] -ne 'Draining') { throw "standin: $Server is not draining" }
    $null = Test-Change "Redirect-Message $Server"
}
# One message waits when it is looked at first; what other servers keep too and what nobody can deliver stays.
function Get-Queue { [CmdletBinding()] param($Server)
    $queues = Get-Setting "Queues $Server"
    $waiting = [int] (-not $queues['seen'])
    $queues['seen'] = $true
    foreach ($queue in @("$Server\Submission SmtpRelay $waiting", "$Server\7 ShadowRedundancy 5", "$Server\Poison Undefined 1")) {
        $identity, $type, $count = $queue.Split(' ')
        New-Object PSObject -Property @{ Identity = $identity; DeliveryType = $type; MessageCount = $count }
    }
}

# Windows and IIS.
function Invoke-Command { [CmdletBinding()] param($ComputerName, [scriptblock] $ScriptBlock, [object[]] $ArgumentList)
    $script:On = $ComputerName
    try { & $ScriptBlock @ArgumentList } finally { $script:On = '' }
}
function Import-Module { [CmdletBinding()] param($Name) }
function Get-WebBinding { [CmdletBinding()] param($Name, $Protocol)
    foreach ($binding in @($script:State.servers[(Get-On $script:On)].sites)) {
        if ($binding.site -ne $Name) { continue }
        $shown = New-Object PSObject -Property @{ bindingInformation = $binding.information; sslFlags = 0
            certificateHash = $binding.hash; certificateStoreName = $binding.store; Binding = $binding }
        # What fails half-way has taken away the old one.
        $shown | Add-Member ScriptMethod AddSslCertificate {
            param($thumbprint, $store)
            $own = $this.Binding
            if ($thumbprint -eq $own.first -and $store -ne 'WebHosting') { throw "standin: $thumbprint is not in $store" }
            $own.hash = $null
            if (Test-Change "AddSslCertificate $(Get-On $script:On) $($own.information)") {
                $own.hash = $thumbprint
                $own.store = $store
            }
        } -PassThru
    }
}
function Get-Service { [CmdletBinding()] param($Name)
    foreach ($entry in $script:State.servers[(Get-On $script:On)].services.GetEnumerator()) {
        New-Object PSObject -Property @{ Name = $entry.Key; Status = $entry.Value }
    }
}
function Restart-Service { [CmdletBinding()] param($Name, [switch] $Force)
    # One that fails has stopped it.
    $services = $script:State.servers[(Get-On $script:On)].services
    $services[$Name] = 'Stopped'
    if (Test-Change "Restart-Service $(Get-On $script:On) $Name") { $services[$Name] = 'Running' }
}
function Stop-Service { [CmdletBinding()] param($Name, [switch] $Force)
    if (Test-Change "Stop-Service $(Get-On $script:On) $Name") {
        $script:State.servers[(Get-On $script:On)].services[$Name] = 'Stopped'
    }
}
function Start-Service { [CmdletBinding()] param($Name)
    $script:State.servers[(Get-On $script:On)].services[$Name] = 'Running'
}
function Restart-WebAppPool { [CmdletBinding()] param($Name)
    $null = Test-Change "Restart-WebAppPool $(Get-On $script:On) $Name"
}

# The person in front of it.
function Get-Date { [datetime] '2099-01-01' }
function Write-Host { param($Object) [void] $script:Said.Add([string] $Object) }
function Read-Host { param($Prompt, [switch] $AsSecureString)
    [void] $script:Said.Add([string] $Prompt)
    if ($AsSecureString) { return ConvertTo-SecureString 'correct horse' -AsPlainText -Force }
    if ($Prompt -match "^Save the CA's answer as (.*), then Enter") {
        $made = New-SelfSigned $script:State.answer.subject @($script:State.answer.names)
        [IO.File]::WriteAllBytes($Matches[1], $made.RawData)
        return ''
    }
    if ($Prompt -like 'PFX file: *') {
        $key = [string] $Prompt
        if (-not $script:State.files.ContainsKey($key)) {
            $wanted = @($script:State.issued | Where-Object { $Prompt.EndsWith($_.subject) })
            if ($wanted.Count -ne 1) { throw "standin: nobody has '$Prompt'" }
            $made = New-SelfSigned $wanted[0].subject @($wanted[0].names)
            $file = [IO.Path]::Combine($env:USERPROFILE, "$([Guid]::NewGuid().ToString('N')).pfx")
            [IO.File]::WriteAllBytes($file, $made.Export('Pfx', 'correct horse'))
            $script:State.files[$key] = $file
        }
        return '"' + $script:State.files[$key] + '"'
    }
    if ($Prompt -like 'Thumbprint of *') { return ('0' * 39) + '1' }
    if ($Prompt -like 'Name of *') { return '<I>CN=shown elsewhere<S>CN=shown elsewhere' }
    return ''
}

Export-ModuleMember -Function *
