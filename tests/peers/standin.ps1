# Stand-ins for tests: an Exchange server that is another PowerShell process, reached as a real remote runspace in
# no-language mode, and Windows' cmdlets as functions of this process. The state is a file, so that it outlives both.

$StateFile = '@STATE@'
$Session.Here = 'EX01'

function New-ExchangeRunspace($Open, $Answers) {
    $engine = '@ENGINE@'
    $wait = "while (Get-Process -Id $PID -ErrorAction SilentlyContinue) { Start-Sleep -Milliseconds 300 }"
    $server = Start-Process $engine -PassThru -ArgumentList '-NoLogo', '-NoProfile', '-Command', "`"$wait`""
    $connection = New-Object System.Management.Automation.Runspaces.NamedPipeConnectionInfo -ArgumentList $server.Id
    $connection.OpenTimeout = 1000
    $until = [datetime]::UtcNow.AddSeconds(30)
    while ($true) {
        try {
            $runspace = [runspacefactory]::CreateRunspace($connection, $Answers, $null)
            $runspace.Open()
            break
        }
        catch {
            if ([datetime]::UtcNow -gt $until) { throw }
            Start-Sleep -Milliseconds 100
        }
    }
    $load = [powershell]::Create()
    $load.Runspace = $runspace
    [void] $load.AddScript($StandInCmdlets).AddArgument($StateFile).Invoke()
    if ($load.Streams.Error.Count -gt 0) { throw $load.Streams.Error[0].Exception }
    return $runspace
}

# PowerShell before 7.1 has no secure strings for other computers outside of Windows; there the text itself travels.
if ($PSVersionTable.PSVersion -lt [version] '7.1' -and $PSVersionTable.PSVersion.Major -gt 5 -and -not $IsWindows) {
    function ConvertTo-Secret([string] $Text) {
        if ($Session.Kind -eq 'remote') { return $Text }
        throw 'only for a remote session'
    }
}

# The driver's own, but for the opening, which is done already.
function Open-Exchange($Open) {
    $answers = New-QuietHost
    $Session.Exchange = New-ExchangeRunspace $Open $answers
    $Session.Kind = $Open['mode']
    $Session.Answers = $answers
}

$StandInCmdlets = @'
param($StateFile)
$global:StateFile = $StateFile
function global:Read-State { Import-Clixml -LiteralPath $global:StateFile }
function global:Save-State($State) { $State | Export-Clixml -LiteralPath $global:StateFile -Depth 6 }
function global:Find-Stored($State, $Thumbprint) {
    $found = @($State.Certificates | Where-Object { $_.Thumbprint -eq $Thumbprint })
    if ($found.Count -eq 0) { throw [System.InvalidOperationException] "A special Rpc error occurs on server EX01: The certificate with thumbprint $Thumbprint was not found." }
    $found[0]
}
function global:New-Entry([byte[]] $Pfx, [byte[]] $Raw, $FriendlyName, $Exportable, $Status) {
    $certificate = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, $Raw)
    New-Object PSObject -Property @{ Thumbprint = $certificate.Thumbprint; RawData = $Raw; Pfx = $Pfx; Status = $Status
        Services = 'None'; FriendlyName = $FriendlyName; PrivateKeyExportable = [bool] $Exportable
        PublicKey = $certificate.GetPublicKeyString(); HasPrivateKey = $true; RootCAType = 'None'; Identity = "EX01\$($certificate.Thumbprint)" }
}
function global:New-Key([string] $Subject, [string[]] $Names) {
    $key = [System.Security.Cryptography.RSA]::Create(2048)
    $request = New-Object System.Security.Cryptography.X509Certificates.CertificateRequest -ArgumentList @(
        $Subject, $key, [System.Security.Cryptography.HashAlgorithmName]::SHA256,
        [System.Security.Cryptography.RSASignaturePadding]::Pkcs1)
    $alternative = New-Object System.Security.Cryptography.X509Certificates.SubjectAlternativeNameBuilder
    foreach ($name in $Names) { $alternative.AddDnsName($name) }
    $request.CertificateExtensions.Add($alternative.Build($false))
    $request
}
function global:Get-ExchangeServer {
    [CmdletBinding()] param([string] $Identity)
    New-Object PSObject -Property @{ Name = 'EX01'; Fqdn = 'ex01.contoso.com'; ServerRole = 'Mailbox'; IsEdgeServer = $false
        AdminDisplayVersion = 'Version 15.2 (Build 1544.4)'; OriginatingServer = 'dc01.contoso.com'; Site = 'contoso.com/Configuration/Sites/Site' }
}
function global:Get-ExchangeCertificate {
    [CmdletBinding()] param([string] $Server, [string] $Thumbprint)
    $state = Read-State
    if ($Thumbprint) { Find-Stored $state $Thumbprint | Select-Object * -ExcludeProperty Pfx; return }
    $state.Certificates | Select-Object * -ExcludeProperty Pfx
}
function global:New-ExchangeCertificate {
    [CmdletBinding(SupportsShouldProcess)] param([string] $Server, [string] $SubjectName, [string[]] $DomainName, [int] $KeySize,
        [bool] $PrivateKeyExportable, [string] $FriendlyName, [string[]] $Services, [switch] $GenerateRequest, [switch] $Force)
    $state = Read-State
    if ($state.Trouble -eq 'slow') { [void] (New-Item -ItemType File "$global:StateFile.making"); Start-Sleep -Seconds 5 }
    $request = New-Key $SubjectName $DomainName
    $now = [datetimeoffset]::UtcNow
    $made = $request.CreateSelfSigned($now.AddMinutes(-5), $now.AddYears(5))
    $status = 'Valid'
    if ($GenerateRequest) { $status = 'PendingRequest' }
    $entry = New-Entry ($made.Export('Pfx', '')) $made.RawData $FriendlyName $PrivateKeyExportable $status
    $state.Certificates = @($state.Certificates) + $entry
    Save-State $state
    if ($GenerateRequest) {
        $base64 = [Convert]::ToBase64String($request.CreateSigningRequest())
        "-----BEGIN NEW CERTIFICATE REQUEST-----`r`n$base64`r`n-----END NEW CERTIFICATE REQUEST-----`r`n"
    }
    else { $entry | Select-Object * -ExcludeProperty Pfx }
}
function global:Import-ExchangeCertificate {
    [CmdletBinding(SupportsShouldProcess)] param([string] $Server, [byte[]] $FileData, $Password,
        [string] $FriendlyName, [bool] $PrivateKeyExportable)
    $state = Read-State
    $flags = [System.Security.Cryptography.X509Certificates.X509KeyStorageFlags]::Exportable
    try { $certificate = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $FileData, $Password, $flags }
    catch {
        $PSCmdlet.ThrowTerminatingError((New-Object System.Management.Automation.ErrorRecord -ArgumentList @(
            [System.InvalidOperationException] 'A special Rpc error occurs on server EX01: The source data cannot be imported or the wrong password was specified.',
            'A39CF339', 'ReadError', $null)))
    }
    if (@($state.Certificates | Where-Object { $_.Thumbprint -eq $certificate.Thumbprint }).Count) {
        throw [System.InvalidOperationException] "Cannot import certificate. A certificate with the thumbprint $($certificate.Thumbprint) already exists."
    }
    # The answer to a request: the key that waits for it is its own.
    $waiting = @($state.Certificates | Where-Object { $_.Status -eq 'PendingRequest' -and $_.PublicKey -eq $certificate.GetPublicKeyString() })
    if ($waiting.Count -gt 0) {
        $entry = New-Entry $null $certificate.RawData $FriendlyName $waiting[0].PrivateKeyExportable 'Valid'
        $state.Certificates = @($state.Certificates | Where-Object { $_.Thumbprint -ne $waiting[0].Thumbprint }) + $entry
        Save-State $state
        return
    }
    $pfx = $null
    if ($certificate.HasPrivateKey) { $pfx = $certificate.Export('Pfx', '') }
    $state.Certificates = @($state.Certificates) + (New-Entry $pfx $certificate.RawData $FriendlyName $PrivateKeyExportable 'Valid')
    Save-State $state
}
function global:Export-ExchangeCertificate {
    [CmdletBinding(SupportsShouldProcess)] param([string] $Server, [string] $Thumbprint, [switch] $BinaryEncoded, $Password)
    $stored = Find-Stored (Read-State) $Thumbprint
    if (-not $stored.PrivateKeyExportable) { throw [System.InvalidOperationException] "The private key couldn't be exported as PKCS-12. It either couldn't be accessed or isn't exportable." }
    $flags = [System.Security.Cryptography.X509Certificates.X509KeyStorageFlags]::Exportable
    $certificate = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList ([byte[]] $stored.Pfx), '', $flags
    New-Object PSObject -Property @{ FileData = $certificate.Export('Pfx', $Password) }
}
function global:Enable-ExchangeCertificate {
    [CmdletBinding(SupportsShouldProcess)] param([string] $Server, [string] $Thumbprint, [string] $Services, [switch] $DoNotRequireSsl, [switch] $Force)
    $state = Read-State
    $stored = Find-Stored $state $Thumbprint
    $isSmtp = $Services -split ', *' -contains 'SMTP'
    if ($isSmtp -and ($Force -or $PSCmdlet.ShouldContinue("Overwrite the existing default SMTP certificate?", 'Confirm'))) {
        $state.Default = $Thumbprint
    }
    if ($state.Trouble -eq 'two questions') {
        $stored.Services = $Services
        Save-State $state
        $choices = [System.Management.Automation.Host.ChoiceDescription[]] @('&A', '&B', '&C')
        [void] $Host.UI.PromptForChoice('Which', 'of these', $choices, 0)
    }
    $stored.Services = @(@($stored.Services -split ', *') + @($Services -split ', *') | Where-Object { $_ -ne 'None' } | Select-Object -Unique) -join ', '
    Save-State $state
}
function global:Remove-ExchangeCertificate {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param([string] $Server, [string] $Thumbprint)
    $state = Read-State
    [void] (Find-Stored $state $Thumbprint)
    if (-not $PSCmdlet.ShouldProcess($Thumbprint)) { return }
    if ($state.Trouble -eq 'cut') {
        $state.Trouble = ''
        Save-State $state
        Stop-Process -Id $PID -Force
    }
    if ($state.Trouble -eq 'stays') { return }
    $state.Certificates = @($state.Certificates | Where-Object { $_.Thumbprint -ne $Thumbprint })
    Save-State $state
    if ($state.Trouble -eq 'remove') { Write-Error -Message 'it failed after all' -ErrorId 'Late' }
}
function global:Get-TransportService {
    [CmdletBinding()] param([string] $Identity)
    New-Object PSObject -Property @{ Name = 'EX01'; InternalTransportCertificateThumbprint = (Read-State).Default }
}
function global:Get-ServerComponentState {
    [CmdletBinding()] param([string] $Identity, [string] $Component)
    New-Object PSObject -Property @{ Component = $Component; State = (Read-State).Component }
}
function global:Set-ServerComponentState {
    [CmdletBinding(SupportsShouldProcess)] param([string] $Identity, [string] $Component, [string] $State, [string] $Requester)
    $now = Read-State
    $now.Component = $State
    $now.Drained += "$State "
    Save-State $now
}
function global:Redirect-Message {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param([string] $Server, [string] $Target)
    if (-not $PSCmdlet.ShouldProcess($Server)) { return }
    $now = Read-State
    if ($now.Trouble -eq 'redirect') { throw [System.InvalidOperationException] 'The target is not available.' }
    $now.Drained += "to $Target "
    Save-State $now
}
function global:Get-Queue {
    [CmdletBinding()] param([string] $Server)
    $now = Read-State
    if ($now.Trouble -eq 'queues hang') { while ($true) { Start-Sleep -Milliseconds 200 } }
    New-Object PSObject -Property @{ Identity = 'EX01\Submission'; DeliveryType = 'Undefined'; MessageCount = $now.Queued }
    New-Object PSObject -Property @{ Identity = 'EX01\3'; DeliveryType = 'ShadowRedundancy'; MessageCount = 7 }
    $now.Queued = 0
    Save-State $now
}
function global:Get-AuthConfig { [CmdletBinding()] param() (Read-State).Auth }
function global:Set-AuthConfig {
    [CmdletBinding(SupportsShouldProcess)] param([string] $NewCertificateThumbprint, [datetime] $NewCertificateEffectiveDate,
        [switch] $PublishCertificate, [switch] $ClearPreviousCertificate, [switch] $Force)
    $state = Read-State
    if ($NewCertificateThumbprint) { $state.Auth.NextCertificateThumbprint = $NewCertificateThumbprint }
    if ($PublishCertificate) {
        $state.Auth.PreviousCertificateThumbprint = $state.Auth.CurrentCertificateThumbprint
        $state.Auth.CurrentCertificateThumbprint = $state.Auth.NextCertificateThumbprint
        $state.Auth.NextCertificateThumbprint = $null
    }
    if ($ClearPreviousCertificate) { $state.Auth.PreviousCertificateThumbprint = $null }
    Save-State $state
}
function global:Get-SendConnector {
    [CmdletBinding()] param([string] $Identity)
    $found = @((Read-State).SendConnectors | Where-Object { -not $Identity -or $_.Name -eq $Identity })
    if ($Identity -and $found.Count -eq 0) {
        $missing = New-Object System.InvalidOperationException -ArgumentList 'introuvable'
        $missing.PSObject.TypeNames.Insert(0, 'Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException')
        Write-Error -Exception $missing -ErrorId 'X' -Category InvalidData
    }
    $found
}
function global:Set-SendConnector {
    [CmdletBinding(SupportsShouldProcess)] param([string] $Identity, [string] $TlsCertificateName)
    $state = Read-State
    if ($state.Trouble -eq 'ask' -and $TlsCertificateName -and -not $PSCmdlet.ShouldContinue('Really?', 'Confirm')) { return }
    foreach ($connector in $state.SendConnectors) { if ($connector.Name -eq $Identity) { $connector.TlsCertificateName = $TlsCertificateName } }
    Save-State $state
}
function global:Get-PopSettings {
    [CmdletBinding()] param([string] $Server)
    $state = Read-State
    if ($state.Trouble -eq 'cut look') {
        $state.Trouble = ''
        Save-State $state
        Stop-Process -Id $PID -Force
    }
    New-Object PSObject -Property @{ Server = 'EX01'; Identity = 'EX01\1'; X509CertificateName = $state.Pop }
}
function global:Start-EdgeSynchronization {
    [CmdletBinding(SupportsShouldProcess)] param([string] $Server)
    $state = Read-State
    $details = ''
    if ($state.Trouble -eq 'edge') { $details = 'A value in the request is invalid' } else { $state.Drained += "copied $Server" }
    Save-State $state
    New-Object PSObject -Property @{ Result = 'Success'; Type = 'Configuration'; Name = 'EDGE01'; FailureDetails = $details }
}
function global:Set-PopSettings {
    [CmdletBinding(SupportsShouldProcess)] param([string] $Server, [string] $X509CertificateName)
    $state = Read-State
    $state.Pop = $X509CertificateName
    Save-State $state
}
function global:Get-AcceptedDomain {
    [CmdletBinding()] param()
    if ((Read-State).Trouble -eq 'no end') { while ($true) { 'contoso.com' } }
    Write-Error -Message "La op$([char]0xe9)ration a $([char]0xe9)chou$([char]0xe9)" -ErrorId 'NoDomain' -Category ObjectNotFound
}
function global:Get-HybridConfiguration { [CmdletBinding()] param() throw [System.UnauthorizedAccessException] 'no' }
foreach ($directory in 'Owa', 'Ecp', 'WebServices', 'ActiveSync', 'Oab', 'Mapi', 'PowerShell') {
    Set-Item "function:global:Get-$($directory)VirtualDirectory" {
        [CmdletBinding()] param([string] $Server, [switch] $ADPropertiesOnly)
        if (-not $ADPropertiesOnly) { throw 'IIS was asked' }
        New-Object PSObject -Property @{ Server = 'EX01'; Identity = 'EX01\owa (Default Web Site)'
            InternalUrl = [uri] 'https://mail.contoso.com/owa'; ExternalUrl = $null }
    }
}
function global:Get-OutlookAnywhere {
    [CmdletBinding()] param([string] $Server, [switch] $ADPropertiesOnly)
    New-Object PSObject -Property @{ Server = 'EX01'; Identity = 'EX01\Rpc'; InternalHostname = 'mail.contoso.com'; ExternalHostname = $null }
}
function global:Get-ClientAccessServer {
    [CmdletBinding()] param([string] $Identity)
    New-Object PSObject -Property @{ Name = 'EX01'; AutoDiscoverServiceInternalUri = [uri] 'https://autodiscover.contoso.com/x.xml' }
}
function global:Get-TransportConfig { [CmdletBinding()] param() New-Object PSObject -Property @{ TLSReceiveDomainSecureList = @('fabrikam.com', 'tailspin.com'); TLSSendDomainSecureList = @() } }
function global:Get-FederationTrust { [CmdletBinding()] param() }
$ExecutionContext.SessionState.LanguageMode = 'NoLanguage'
'@

function Get-StandInState { Import-Clixml -LiteralPath $StateFile }
function Set-StandInState($State) { $State | Export-Clixml -LiteralPath $StateFile -Depth 6 }

function Get-WebBinding([string] $Name, [string] $Protocol) {
    foreach ($binding in (Get-StandInState).Bindings) {
        if ($Name -ne '' -and $binding.Site -ne $Name) { continue }
        $object = New-Object PSObject -Property @{ protocol = 'https'; bindingInformation = $binding.Information
            certificateHash = $binding.Hash; sslFlags = 0; certificateStoreName = $binding.Store
            ItemXPath = "/system.applicationHost/sites/site[@name='$($binding.Site)' and @id='1']" }
        $object | Add-Member -MemberType ScriptMethod -Name AddSslCertificate -PassThru -Value {
            param($hash, $store)
            $state = Get-StandInState
            foreach ($each in $state.Bindings) {
                if ($each.Information -ne $this.bindingInformation) { continue }
                # One certificate is in another store, where there is one.
                if ($each.Kept -eq $hash -and $store -ne $each.Store) { throw 'a specified logon session does not exist' }
                $each.Hash = $hash
            }
            if ($state.Trouble -eq 'bind') {
                $state.Trouble = ''
                foreach ($each in $state.Bindings) { if ($each.Information -eq $this.bindingInformation) { $each.Hash = '' } }
                Set-StandInState $state
                throw 'a specified logon session does not exist'
            }
            Set-StandInState $state
        }
    }
}
function Get-Service([string[]] $Name) {
    foreach ($service in (Get-StandInState).Services) {
        if ($Name -contains $service.Name) {
            New-Object PSObject -Property @{ Name = $service.Name; Status = $service.Status } |
                Add-Member -MemberType ScriptMethod -Name WaitForStatus -PassThru -Value { param($status, $timeout) }
        }
    }
}
function Set-StandInService([string] $Name, [string] $Status) {
    $state = Get-StandInState
    foreach ($service in $state.Services) { if ($service.Name -eq $Name) { $service.Status = $Status } }
    $state.Log = @($state.Log) + "$Status $Name"
    Set-StandInState $state
}
function Stop-Service([string] $Name, [switch] $Force) { Set-StandInService $Name 'Stopped' }
function Start-Service([string] $Name) {
    if ((Get-StandInState).Trouble -eq "start $Name") { throw 'Service cannot be started' }
    Set-StandInService $Name 'Running'
}
function Restart-Service([string] $Name, [switch] $Force) { Set-StandInService $Name 'Stopped'; Start-Service $Name }
function Get-CimInstance([string] $Class, [string] $Namespace) {
    if ($Class -eq 'Win32_Service') {
        (Get-StandInState).Services | ForEach-Object { New-Object PSObject -Property @{ Name = $_.Name; State = $_.Status; StartMode = 'Auto' } }
        return
    }
    if ($Class -eq 'Win32_TSGeneralSetting') {
        New-Object PSObject -Property @{ TerminalName = 'RDP-Tcp'; SSLCertificateSHA1Hash = (Get-StandInState).Programs[2] }
        return
    }
    New-Object PSObject -Property @{ Caption = 'Microsoft Windows Server 2022'; CSName = 'EX01' }
}
# As a German Windows prints it: an entry of another program, and one of IIS.
function netsh {
    $of = (Get-StandInState).Programs
    '', 'SSL-Zertifikatbindungen:', '-------------------------', ''
    '    IP:Port                      : 0.0.0.0:8443'
    "    Zertifikathash             : $($of[0])".ToLowerInvariant().Replace('zertifikathash', 'Zertifikathash')
    '    Anwendungs-ID               : {00112233-4455-6677-8899-aabbccddeeff}'
    '    Zertifikatspeichername       : (null)', ''
    '    IP:Port                      : 0.0.0.0:443'
    "    Zertifikathash             : $('ab' * 20)"
    '    Anwendungs-ID               : {4dc3e181-e14b-4a21-b022-59fc669b0914}', ''
}
function Get-ChildItem([string] $Path) {
    if ((Get-StandInState).Trouble -eq 'listener') { throw 'Access is denied.' }
    switch -Wildcard ($Path) {
        'WSMan:\localhost\Listener' { 'Listener_1', 'Listener_2' | ForEach-Object { New-Object PSObject -Property @{ PSChildName = $_ } } }
        'WSMan:\localhost\Listener\Listener_1' { New-Object PSObject -Property @{ Name = 'Port'; Value = '5985' } }
        'WSMan:\localhost\Listener\Listener_2' {
            New-Object PSObject -Property @{ Name = 'CertificateThumbprint'; Value = (Get-StandInState).Programs[1] -replace '(..)', '$1 ' }
        }
        'Cert:\LocalMachine\My' {
            foreach ($raw in (Get-StandInState).Keyless) {
                $read = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, [byte[]] $raw)
                New-Object PSObject -Property @{ HasPrivateKey = $false; RawData = [byte[]] $raw; FriendlyName = 'no key'
                    Issuer = $read.Issuer }
            }
        }
        'Cert:\LocalMachine\Root' {
            foreach ($raw in (Get-StandInState).Roots) {
                New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, [byte[]] $raw)
            }
        }
    }
}
