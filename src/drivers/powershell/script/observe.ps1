# What is seen. Each section is data or an error; one that fails hides no other.

function Add-Section($Sections, $Request, [string] $Name, [scriptblock] $Read) {
    if (-not (Test-IsWanted $Request $Name)) { return }
    try {
        $objects = @(& $Read)
        $text = [System.Management.Automation.PSSerializer]::Serialize($objects, 3)
        [void] $Sections.Add(@{ name = $Name; clixml = [System.Text.Encoding]::UTF8.GetBytes($text) })
    }
    catch {
        [void] $Sections.Add(@{ name = $Name; error = (Get-ErrorFacts $_) })
    }
}

function Add-Cmdlet($Sections, $Request, [string] $Name, [string] $Cmdlet, $Parameters) {
    Add-Section $Sections $Request $Name { Invoke-Exchange $Cmdlet $Parameters | ForEach-Object { $_ } }
}

# Certificates: as objects that carry their serialized form, else with the properties that the server selects.
$CertificateProperties = @('RawData', 'Identity', 'Services', 'Status', 'RootCAType', 'HasPrivateKey',
    'PrivateKeyExportable', 'FriendlyName')

function Read-Certificates($Parameters) {
    $whole = Invoke-Exchange 'Get-ExchangeCertificate' $Parameters
    if ($Session.Kind -eq 'local') {
        return , @($whole | Select-Object (@('SerializationData') + $CertificateProperties))
    }
    foreach ($certificate in $whole) {
        $serialized = $certificate.PSObject.Properties['SerializationData']
        if ($null -ne $serialized -and $null -ne $serialized.Value) { return , $whole }
    }
    try { return , (Invoke-Exchange 'Get-ExchangeCertificate' $Parameters $CertificateProperties) }
    catch {
        $Reply.Warnings.Add("certificates came as their bytes alone: $($_.Exception.Message)")
        return , $whole
    }
}

function Read-Organization($Request) {
    $sections = New-Object System.Collections.ArrayList
    Add-Section $sections $Request 'certwright-capture' {
        New-Object PSObject -Property @{ CapturedAt = [datetime]::UtcNow.ToString('s') + 'Z'; DateOrder = 'M/d/yyyy'
            Computer = $Session.Here }
    }
    foreach ($cmdlet in @('Get-ExchangeServer', 'Get-AcceptedDomain', 'Get-SendConnector',
            'Get-HybridConfiguration', 'Get-AuthConfig', 'Get-FederationTrust', 'Get-SettingOverride',
            'Get-TransportConfig')) {
        Add-Cmdlet $sections $Request $cmdlet $cmdlet @{}
    }
    # With the certificate that the directory holds of its Edge server: the other side of direct trust.
    Add-Section $sections $Request 'Get-EdgeSubscription' {
        foreach ($edge in (Invoke-Exchange 'Get-EdgeSubscription' @{})) {
            $held = $null
            try {
                $services = Invoke-Exchange 'Get-TransportService' @{ Identity = [string] $edge.Name }
                $held = $services[0].InternalTransportCertificateThumbprint
            }
            catch { $Reply.Warnings.Add("$($edge.Name): $($_.Exception.Message)") }
            New-Object PSObject -Property @{ Name = $edge.Name; Site = [string] $edge.Site
                WhenCreatedUTC = $edge.WhenCreatedUTC; EdgeCertificate = $held }
        }
    }
    return @{ sections = $sections }
}

function Test-IsWanted($Request, [string] $Name) {
    return $null -eq $Request['only'] -or $Request['only'] -contains $Name
}

function Read-Server($Request) {
    $server = $Request['server']
    $name = [string] $server['name']
    $on = @{ Server = $name }
    $itself = @{ Identity = $name }
    $isEdge = [bool] $Request['edge']
    if ($isEdge) { $on = @{} }
    $sections = New-Object System.Collections.ArrayList
    if ($isEdge) { Add-Cmdlet $sections $Request "$name.Get-ExchangeServer" 'Get-ExchangeServer' $itself }
    Add-Section $sections $Request "$name.Get-ExchangeCertificate" { Read-Certificates $on | ForEach-Object { $_ } }
    Add-Cmdlet $sections $Request "$name.Get-ReceiveConnector" 'Get-ReceiveConnector' $on
    Add-Section $sections $Request "$name.Get-TransportService" {
        Invoke-Exchange 'Get-TransportService' $itself | ForEach-Object { $_ } |
            Select-Object Name, InternalTransportCertificateThumbprint
    }
    if ($isEdge) {
        # What the directory of this server holds of the servers that synchronize to it.
        Add-Section $sections $Request "$name.certwright-edge-peers" {
            # Not `$name`: in here that is the name of the section.
            Invoke-Exchange 'Get-TransportService' @{} | ForEach-Object { $_ } |
                Where-Object { $_.Name -ne $itself.Identity } | Select-Object Name, InternalTransportCertificateThumbprint
        }
        # Its copies of the send connectors, by which it acts until EdgeSync brings it others.
        Add-Cmdlet $sections $Request "$name.Get-SendConnector" 'Get-SendConnector' @{}
        return @{ sections = $sections }
    }
    Add-Cmdlet $sections $Request "$name.Get-PopSettings" 'Get-PopSettings' $on
    Add-Cmdlet $sections $Request "$name.Get-ImapSettings" 'Get-ImapSettings' $on
    if ($Request['unified_messaging']) {
        Add-Cmdlet $sections $Request "$name.Get-UMService" 'Get-UMService' $itself
        Add-Cmdlet $sections $Request "$name.Get-UMCallRouterSettings" 'Get-UMCallRouterSettings' $on
    }
    # The names that clients are sent to, from the directory: IIS is not asked for them.
    $ofDirectory = @{ Server = $name; ADPropertiesOnly = $true }
    foreach ($directory in @('Owa', 'Ecp', 'WebServices', 'ActiveSync', 'Oab', 'Mapi', 'PowerShell')) {
        Add-Section $sections $Request "$name.Get-$($directory)VirtualDirectory" {
            Invoke-Exchange "Get-$($directory)VirtualDirectory" $ofDirectory | ForEach-Object { $_ } |
                Select-Object Server, Identity, InternalUrl, ExternalUrl
        }
    }
    Add-Section $sections $Request "$name.Get-OutlookAnywhere" {
        Invoke-Exchange 'Get-OutlookAnywhere' $ofDirectory | ForEach-Object { $_ } |
            Select-Object Server, Identity, InternalHostname, ExternalHostname
    }
    Add-Section $sections $Request "$name.Get-ClientAccessService" {
        # Exchange 2013 and before call it a server.
        try { $found = Invoke-Exchange 'Get-ClientAccessService' $itself }
        catch {
            $first = $_
            try { $found = Invoke-Exchange 'Get-ClientAccessServer' $itself } catch { throw $first }
        }
        $found | ForEach-Object { $_ } | Select-Object Name, AutoDiscoverServiceInternalUri
    }
    return @{ sections = $sections }
}

# What a server says of itself, and in which form its certificates come.
function Read-About($Request) {
    $name = [string] $Request['server']['name']
    $on = @{}
    if (-not $Request['local_only']) { $on = @{ Server = $name } }
    $about = @{ version = $null; fqdn = $null; domain_controller = $null; certificates = 0; serialized = 0; with_services = 0 }
    foreach ($server in (Invoke-Exchange 'Get-ExchangeServer' @{ Identity = $name })) {
        $about.version = [string] $server.AdminDisplayVersion
        $about.fqdn = [string] $server.Fqdn
        $from = $server.PSObject.Properties['OriginatingServer']
        if ($null -ne $from -and $null -ne $from.Value) { $about.domain_controller = [string] $from.Value }
    }
    foreach ($certificate in (Read-Certificates $on)) {
        $about.certificates += 1
        foreach ($form in @(@('SerializationData', 'serialized'), @('Services', 'with_services'))) {
            $property = $certificate.PSObject.Properties[$form[0]]
            if ($null -ne $property -and $null -ne $property.Value) { $about[$form[1]] += 1 }
        }
    }
    return $about
}

# What Windows itself knows.
function Read-Windows($Request) {
    $server = $Request['server']
    $name = [string] $server['name']
    $sections = New-Object System.Collections.ArrayList
    $topics = @(@('certwright-roots', $ReadRoots), @('Win32_OperatingSystem', $ReadSystem), @('Win32_Service', $ReadStates),
        @('certwright-other-programs', $ReadPrograms), @('certwright-keyless', $ReadKeyless),
        @('certwright-authorities', $ReadAuthorities))
    # Edge servers have no IIS.
    if (-not $Request['edge']) { $topics += @(@('Get-WebBinding', $ReadBindings), @('certwright-iis', $ReadIis)) }
    foreach ($topic in $topics) {
        Add-Section $sections $Request "$name.$($topic[0])" { Invoke-OnServer $server $topic[1] @() | ForEach-Object { $_ } }
    }
    return @{ sections = $sections }
}
