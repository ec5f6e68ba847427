# What Windows says of what certificates hang on. All of it reads.
$ReadSystem = { Get-CimInstance Win32_OperatingSystem -ErrorAction Stop | Select-Object Caption, CSName }

# Whether services run: POP and IMAP do not until somebody wants them.
$ReadStates = {
    Get-CimInstance Win32_Service -ErrorAction Stop |
        Where-Object { $_.Name -like 'MSExchange*' -or $_.Name -eq 'W3SVC' } |
        Select-Object Name, State, StartMode
}

# Whether it trusts DigiCert Global Root G2, as mail to Microsoft 365 needs, and whether Windows fetches roots.
$ReadRoots = {
    $at = 'HKLM:\SOFTWARE\Policies\Microsoft\SystemCertificates\AuthRoot'
    $policy = Get-ItemProperty $at -Name DisableRootAutoUpdate -ErrorAction SilentlyContinue
    $off = $null
    if ($null -ne $policy) { $off = $policy.DisableRootAutoUpdate }
    New-Object PSObject -Property @{ DisableRootAutoUpdate = $off
        DigiCertGlobalRootG2 = Test-Path Cert:\LocalMachine\Root\DF3C24F9BFD666761B268073FE06D1CC8D4F82A4 }
}

# The https bindings of IIS.
$ReadBindings = {
    if ($null -eq (Get-Command Get-WebBinding -ErrorAction SilentlyContinue)) {
        Import-Module WebAdministration -ErrorAction Stop
    }
    Get-WebBinding -Protocol https -ErrorAction Stop |
        Select-Object protocol, bindingInformation, sslFlags, certificateHash, certificateStoreName, ItemXPath
}

# Whether the Default Web Site requires SSL, and whether Extended Protection binds sign-in to its certificate.
$ReadIis = {
    Import-Module WebAdministration -ErrorAction Stop
    function Read-Setting([string] $Location, [string] $Filter, [string] $Name) {
        $value = Get-WebConfigurationProperty -PSPath 'MACHINE/WEBROOT/APPHOST' -Location $Location -Filter $Filter `
            -Name $Name -ErrorAction Stop
        if ($value -and $value.PSObject.Properties['Value']) { $value = $value.Value }
        [string]$value
    }
    $ssl = Read-Setting 'Default Web Site' 'system.webServer/security/access' 'sslFlags'
    $protected = @('Autodiscover', 'EWS', 'mapi', 'OAB' | ForEach-Object {
        $at = 'system.webServer/security/authentication/windowsAuthentication/extendedProtection'
        Read-Setting "Default Web Site/$_" $at 'tokenChecking'
    } | Where-Object { $_ -match 'Allow|Require' })
    $extended = $protected.Count -gt 0
    New-Object PSObject -Property @{ RequireSsl = ($ssl -match '\bSsl\b'); ExtendedProtection = $extended }
}

