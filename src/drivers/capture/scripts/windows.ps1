# What Windows is asked beside Exchange, on each server. All of it reads.
$windows = @{}
$windows['Win32_OperatingSystem'] = $ReadSystem
$windows['Win32_Service'] = $ReadStates
$windows['certwright-roots'] = $ReadRoots
$windows['Get-WebBinding'] = $ReadBindings
$windows['certwright-iis'] = $ReadIis
$windows['certwright-other-programs'] = $ReadPrograms
$windows['certwright-keyless'] = $ReadKeyless
$windows['certwright-authorities'] = $ReadAuthorities
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

