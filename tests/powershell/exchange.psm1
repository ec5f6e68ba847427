# Stand-ins for Exchange's cmdlets. Functions of a module see the global preference only, and errors of the remote side arrive
# as non-terminating ones.
function Test-Failing($name) { if ($env:FAILING -eq $name) { Write-Error "$name could not be performed"; $true } else { $false } }
function Out($name, $props) { if (Test-Failing $name) { return }; New-Object PSObject -Property $props }
function Get-ExchangeServer { [CmdletBinding()] param($Identity) Out 'Get-ExchangeServer' @{ Name='EX01'; Fqdn='ex01.contoso.com'; IsEdgeServer=$false; IsUnifiedMessagingServer=$false; AdminDisplayVersion='Version 15.2 (Build 1544.4)'; ServerRole='Mailbox' } }
function Get-AcceptedDomain { [CmdletBinding()] param() Out 'Get-AcceptedDomain' @{ Name='contoso.com'; DomainName='contoso.com'; Default=$true } }
function Get-SendConnector { [CmdletBinding()] param() Out 'Get-SendConnector' @{ Name='To Internet'; SourceTransportServers=@('EX01'); AddressSpaces=@('smtp:*;1'); AuthenticationCredential='secret of a smart host'; Enabled=$true } }
function Get-HybridConfiguration { [CmdletBinding()] param() $null = Test-Failing 'Get-HybridConfiguration' }
function Get-AuthConfig { [CmdletBinding()] param() Out 'Get-AuthConfig' @{ CurrentCertificateThumbprint='0123456789012345678901234567890123456789' } }
function Get-TransportConfig { [CmdletBinding()] param() Out 'Get-TransportConfig' @{ TLSReceiveDomainSecureList=@('fabrikam.com'); TLSSendDomainSecureList=@(); MaxSendSize='25 MB' } }
function Get-FederationTrust { [CmdletBinding()] param() }
function Get-EdgeSubscription { [CmdletBinding()] param() $null = Test-Failing 'Get-EdgeSubscription' }
function Get-TransportService { [CmdletBinding()] param($Identity) Out 'Get-TransportService' @{ Name='EX01'; InternalTransportCertificateThumbprint='0123456789012345678901234567890123456789' } }
function Get-ExchangeCertificate { [CmdletBinding()] param($Server) Out 'Get-ExchangeCertificate' @{ RawData=[byte[]](1,2,3); Services='IIS' } }
function Get-ReceiveConnector { [CmdletBinding()] param($Server) Out 'Get-ReceiveConnector' @{ Name='Default EX01'; Server='EX01' } }
function Get-PopSettings { [CmdletBinding()] param($Server) Out 'Get-PopSettings' @{ Server='EX01'; X509CertificateName='ex01' } }
function Get-ImapSettings { [CmdletBinding()] param($Server) Out 'Get-ImapSettings' @{ Server='EX01'; X509CertificateName='ex01' } }
foreach ($d in 'Owa','Ecp','WebServices','ActiveSync','Oab','Mapi','PowerShell') { Set-Item "function:Get-$($d)VirtualDirectory" { [CmdletBinding()] param($Server,[switch]$ADPropertiesOnly) Out $MyInvocation.MyCommand.Name @{ Server='EX01'; Identity="EX01\owa"; InternalUrl='https://mail.contoso.com/owa'; ExternalUrl=$null } } }
function Get-OutlookAnywhere { [CmdletBinding()] param($Server,[switch]$ADPropertiesOnly) Out 'Get-OutlookAnywhere' @{ Server='EX01'; InternalHostname='mail.contoso.com' } }
function Get-ClientAccessService { [CmdletBinding()] param($Identity) Out 'Get-ClientAccessService' @{ Name='EX01'; AutoDiscoverServiceInternalUri='https://autodiscover.contoso.com/x' } }
function Invoke-Command { [CmdletBinding()] param($ComputerName,$ScriptBlock) $null = Test-Failing 'Invoke-Command' }
Export-ModuleMember -Function *
