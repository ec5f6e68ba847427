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

# What else names a certificate of this store: http.sys outside of IIS, WinRM and Remote Desktop.
$ReadPrograms = {
    $place = ''
    $hash = ''
    # The words of netsh are in the language of the machine, its values are not. 4dc3e181 is IIS, another topic.
    foreach ($line in @(netsh http show sslcert)) {
        if ($line -match '^\s+\S.*?\s+:\s(\S+:\d+)\s*$') { $place = $Matches[1]; $hash = '' }
        elseif ($line -match ':\s([0-9a-fA-F]{40})\s*$') { $hash = $Matches[1] }
        elseif ($hash -and $line -match ':\s\{([0-9a-fA-F-]{36})\}') {
            if ($Matches[1] -notlike '4dc3e181-*') {
                New-Object PSObject -Property @{ Program = "http.sys $place"; Thumbprint = $hash }
            }
            $hash = ''
        }
    }
    foreach ($listener in @(Get-ChildItem WSMan:\localhost\Listener -ErrorAction Stop)) {
        $path = 'WSMan:\localhost\Listener\' + $listener.PSChildName
        $named = Get-ChildItem $path -ErrorAction Stop | Where-Object { $_.Name -eq 'CertificateThumbprint' }
        $thumbprint = (@($named | ForEach-Object { [string] $_.Value }) -join '') -replace '\s', ''
        if ($thumbprint) {
            New-Object PSObject -Property @{ Program = "WinRM $($listener.PSChildName)"; Thumbprint = $thumbprint }
        }
    }
    $desktop = Get-CimInstance Win32_TSGeneralSetting -Namespace root/cimv2/TerminalServices -ErrorAction Stop
    foreach ($setting in @($desktop | Where-Object { $_.SSLCertificateSHA1Hash })) {
        New-Object PSObject -Property @{ Program = "Remote Desktop $($setting.TerminalName)"
            Thumbprint = $setting.SSLCertificateSHA1Hash }
    }
}

# The CAs above the certificates of this store, as far as the stores of intermediate and root CAs have them: public
# certificates all of them.
$ReadAuthorities = {
    $known = @('CA', 'Root' | ForEach-Object { Get-ChildItem "Cert:\LocalMachine\$_" -ErrorAction Stop })
    $wanted = @(Get-ChildItem Cert:\LocalMachine\My -ErrorAction Stop | ForEach-Object { $_.Issuer })
    $found = @{}
    while ($wanted.Count -gt 0) {
        $above = @($known | Where-Object { $wanted -contains $_.Subject -and -not $found.ContainsKey($_.Thumbprint) })
        foreach ($authority in $above) { $found[$authority.Thumbprint] = $authority }
        $wanted = @($above | ForEach-Object { $_.Issuer })
    }
    foreach ($authority in $found.Values) { New-Object PSObject -Property @{ RawData = $authority.RawData } }
}

# Certificates of the store without their keys, which Get-ExchangeCertificate does not show.
$ReadKeyless = {
    Get-ChildItem Cert:\LocalMachine\My -ErrorAction Stop | Where-Object { -not $_.HasPrivateKey } |
        Select-Object RawData, FriendlyName
}
