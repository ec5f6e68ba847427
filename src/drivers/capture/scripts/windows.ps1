# What Windows is asked beside Exchange, on each server. All of it reads.
$windows = @{}
$windows['Win32_OperatingSystem'] = $ReadSystem
$windows['Win32_Service'] = $ReadStates
$windows['certwright-roots'] = $ReadRoots
$windows['Get-WebBinding'] = $ReadBindings
$windows['certwright-iis'] = $ReadIis
# What else names a certificate of this store: http.sys outside of IIS, WinRM and Remote Desktop.
$windows['certwright-other-programs'] = {
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
        $thumbprint = ([string]$named.Value) -replace '\s', ''
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
# Certificates of the store without their keys, which Get-ExchangeCertificate does not show.
$windows['certwright-keyless'] = {
    Get-ChildItem Cert:\LocalMachine\My -ErrorAction Stop | Where-Object { -not $_.HasPrivateKey } |
        Select-Object RawData, FriendlyName
}
# How often transport and http.sys have complained of certificates in the last seven days.
$windows['certwright-events'] = {
    $since = (Get-Date).AddDays(-7)
    $transport = @{ LogName = 'Application'; ProviderName = 'MSExchangeTransport'; StartTime = $since
        Id = 12012, 12013, 12014, 12015, 12016, 12017, 12018 }
    $http = @{ LogName = 'System'; ProviderName = 'Microsoft-Windows-HttpEvent'; Id = 15021; StartTime = $since }
    # Get-WinEvent fails where there is none.
    $found = $transport, $http | ForEach-Object { Get-WinEvent -FilterHashtable $_ -ErrorAction SilentlyContinue }
    foreach ($group in @($found | Group-Object Id)) {
        New-Object PSObject -Property @{ Id = [int]$group.Name; Count = $group.Count }
    }
}

