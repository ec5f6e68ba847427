# The runspace in which Exchange's cmdlets run. It is a remote one, into which only commands with parameters go: no
# proxy functions, no files, no script text (it would be refused). Edge servers have none: there the snap-in is loaded
# into a runspace of this process.
function New-ExchangeRunspace($Open, $Answers) {
    if ($Open['mode'] -eq 'local') {
        $state = [System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
        $warning = $null
        [void] $state.ImportPSSnapIn('Microsoft.Exchange.Management.PowerShell.SnapIn', [ref] $warning)
        if ($null -eq $Answers) { return [runspacefactory]::CreateRunspace($state) }
        return [runspacefactory]::CreateRunspace($Answers, $state)
    }
    $shell = 'http://schemas.microsoft.com/powershell/Microsoft.Exchange'
    $credential = [System.Management.Automation.PSCredential] $Session.Credential
    $connection = New-Object System.Management.Automation.Runspaces.WSManConnectionInfo -ArgumentList @(
        [uri] $Open['uri'], $shell, $credential)
    $connection.AuthenticationMechanism = 'Kerberos'
    $connection.MaximumConnectionRedirectionCount = 0
    $connection.OpenTimeout = 1000 * $Open['open_timeout_s']
    $connection.Culture = 'en-US'
    $connection.UICulture = 'en-US'
    if ($null -eq $Answers) { return [runspacefactory]::CreateRunspace($connection) }
    return [runspacefactory]::CreateRunspace($connection, $Answers, $null)
}

function New-QuietHost { return [QuietHost]::new() }

# Opens it with a host that can answer; where that fails, without any.
function Open-Exchange($Open) {
    Close-Exchange
    $answers = New-QuietHost
    try {
        $runspace = New-ExchangeRunspace $Open $answers
        $runspace.Open()
    }
    catch [System.Management.Automation.Remoting.PSRemotingTransportException] {
        # The server was not reached, and would not be reached without a host either.
        throw
    }
    catch {
        $Reply.Warnings.Add("without a host that answers: $($_.Exception.Message)")
        $answers = $null
        $runspace = New-ExchangeRunspace $Open $null
        $runspace.Open()
    }
    $Session.Exchange = $runspace
    $Session.Kind = $Open['mode']
    $Session.Answers = $answers
}

function Close-Exchange {
    if ($null -ne $Session.Exchange) {
        $Session.Exchange.Dispose()
        $Session.Exchange = $null
    }
}

# The cmdlets that may be called, with their parameters. Anything else is refused before it reaches a server.
$Allowed = @{
    'Get-ExchangeServer'           = @('Identity')
    'Get-AcceptedDomain'           = @()
    'Get-SendConnector'            = @('Identity')
    'Get-HybridConfiguration'      = @()
    'Get-AuthConfig'               = @()
    'Get-FederationTrust'          = @()
    'Get-SettingOverride'          = @('Identity')
    'Get-TransportConfig'          = @()
    'Get-EdgeSubscription'         = @()
    'Get-ExchangeCertificate'      = @('Server', 'Thumbprint')
    'Get-ReceiveConnector'         = @('Server', 'Identity')
    'Get-PopSettings'              = @('Server')
    'Get-ImapSettings'             = @('Server')
    'Get-TransportService'         = @('Identity')
    'Get-UMService'                = @('Identity')
    'Get-UMServer'                 = @('Identity')
    'Get-UMCallRouterSettings'     = @('Server')
    'Get-OwaVirtualDirectory'      = @('Server', 'ADPropertiesOnly')
    'Get-EcpVirtualDirectory'      = @('Server', 'ADPropertiesOnly')
    'Get-WebServicesVirtualDirectory' = @('Server', 'ADPropertiesOnly')
    'Get-ActiveSyncVirtualDirectory' = @('Server', 'ADPropertiesOnly')
    'Get-OabVirtualDirectory'      = @('Server', 'ADPropertiesOnly')
    'Get-MapiVirtualDirectory'     = @('Server', 'ADPropertiesOnly')
    'Get-PowerShellVirtualDirectory' = @('Server', 'ADPropertiesOnly')
    'Get-OutlookAnywhere'          = @('Server', 'ADPropertiesOnly')
    'Get-ClientAccessService'      = @('Identity')
    'Get-ClientAccessServer'       = @('Identity')
    'Get-ExchangeDiagnosticInfo'   = @('Server', 'Process', 'Component', 'Argument')
    'New-ExchangeCertificate'      = @('Server', 'SubjectName', 'DomainName', 'KeySize', 'PrivateKeyExportable',
        'FriendlyName', 'Services', 'GenerateRequest', 'Confirm', 'Force')
    'Import-ExchangeCertificate'   = @('Server', 'FileData', 'Password', 'FriendlyName', 'PrivateKeyExportable', 'Confirm')
    'Export-ExchangeCertificate'   = @('Server', 'Thumbprint', 'BinaryEncoded', 'Password', 'Confirm')
    'Enable-ExchangeCertificate'   = @('Server', 'Thumbprint', 'Services', 'DoNotRequireSsl', 'Confirm', 'Force')
    'Remove-ExchangeCertificate'   = @('Server', 'Thumbprint', 'Confirm')
    'Set-PopSettings'              = @('Server', 'X509CertificateName', 'Confirm')
    'Set-ImapSettings'             = @('Server', 'X509CertificateName', 'Confirm')
    'Set-UMService'                = @('Identity', 'UMStartupMode', 'Confirm')
    'Set-UMServer'                 = @('Identity', 'UMStartupMode', 'Confirm')
    'Set-UMCallRouterSettings'     = @('Server', 'UMStartupMode', 'Confirm')
    'Set-SendConnector'            = @('Identity', 'TlsCertificateName', 'Confirm')
    'Set-ReceiveConnector'         = @('Identity', 'TlsCertificateName', 'Confirm')
    'Set-HybridConfiguration'      = @('TlsCertificateName', 'Confirm')
    'Set-AuthConfig'               = @('NewCertificateThumbprint', 'NewCertificateEffectiveDate', 'PublishCertificate',
        'ClearPreviousCertificate', 'Confirm', 'Force')
    'Set-SettingOverride'          = @('Identity', 'Parameters', 'Reason', 'Confirm')
    'Start-EdgeSynchronization'    = @('Server', 'Confirm')
    'Get-ServerComponentState'     = @('Identity', 'Component')
    'Set-ServerComponentState'     = @('Identity', 'Component', 'State', 'Requester', 'Confirm')
    'Redirect-Message'             = @('Server', 'Target', 'Confirm')
    'Get-Queue'                    = @('Server')
}

# More objects than any cmdlet shows that is called here.
$MostObjects = 20000

# Starts a pipeline whose output can be counted while it arrives. The method is generic and its input is nothing at all, from
# which no PowerShell tells its type.
function Start-Counted($Pipeline, $Output) {
    $method = [powershell].GetMethods() | Where-Object { $_.Name -eq 'BeginInvoke' -and $_.GetParameters().Length -eq 2 }
    $method = @($method)[0].MakeGenericMethod([psobject], [psobject])
    return $method.Invoke($Pipeline.PSObject.BaseObject, [object[]] @($null, $Output.PSObject.BaseObject))
}

# Stops a pipeline; says whether it did stop.
function Stop-InTime($Pipeline) {
    $stop = $Pipeline.BeginStop($null, $null)
    if (-not $stop.AsyncWaitHandle.WaitOne(10000)) { return $false }
    $Pipeline.EndStop($stop)
    return $true
}

# A cmdlet with its parameters, of a table of names and values. Its output, as a list. Errors come from the pipeline's
# own stream and are thrown; no preference of any shell decides about them.
function Invoke-Exchange([string] $Name, [System.Collections.IDictionary] $Parameters, [string[]] $Project) {
    if (-not $Allowed.ContainsKey($Name)) { throw (New-Condition 'bad_request' "no such cmdlet: $Name") }
    if ($null -eq $Session.Exchange) { throw (New-Condition 'bad_request' 'session.open comes first') }
    $pipeline = [powershell]::Create()
    $pipeline.Runspace = $Session.Exchange
    $isLeft = $false
    try {
        [void] $pipeline.AddCommand($Name)
        foreach ($parameter in $Parameters.Keys) {
            if ($Allowed[$Name] -notcontains $parameter) {
                throw (New-Condition 'bad_request' "$Name takes no $parameter here")
            }
            [void] $pipeline.AddParameter($parameter, $Parameters[$parameter])
        }
        if ($null -ne $Project -and $Project.Length -gt 0) {
            [void] $pipeline.AddCommand('Select-Object').AddParameter('Property', $Project)
        }
        $Session.Calling = $Name
        if ($Name -notlike 'Get-*') { $Reply.Begun += 1 }
        $refused = Get-Refused
        $answered = Get-Answered
        try {
            $output = New-Object 'System.Management.Automation.PSDataCollection[psobject]'
            $call = Start-Counted $pipeline $output
            while (-not $call.AsyncWaitHandle.WaitOne(200)) {
                if ($output.Count -gt $MostObjects) {
                    if (-not (Stop-InTime $pipeline)) {
                        $isLeft = $true
                        $Session.Exchange = $null
                    }
                    throw (New-Condition 'too_many_objects' "more objects than $MostObjects, which no server has")
                }
                if (-not (Test-Cancelled)) { continue }
                # It keeps its session, so that whatever is put back opens another one.
                $isLeft = $true
                [void] $pipeline.BeginStop($null, $null)
                $Session.Exchange = $null
                throw (New-Condition 'cancelled' "$Name does not come back, and is given up")
            }
            [void] $pipeline.EndInvoke($call)
            if ($output.Count -gt $MostObjects) {
                throw (New-Condition 'too_many_objects' "more objects than $MostObjects, which no server has")
            }
        }
        catch { Assert-NothingAsked $refused $answered; throw }
        foreach ($warning in $pipeline.Streams.Warning) { $Reply.Warnings.Add([string] $warning.Message) }
        if ($pipeline.Streams.Error.Count -gt 0) {
            Assert-NothingAsked $refused $answered
            throw (New-PipelineError $pipeline.Streams.Error[0])
        }
        return , @($output)
    }
    finally { if (-not $isLeft) { $pipeline.Dispose() } }
}

# Puts something back. A session that was lost meanwhile is opened again: what was taken away must not stay away.
function Invoke-Restoring($Call) {
    $Session.PutsBack = $true
    for ($attempt = 1; $true; $attempt++) {
        try {
            if ($null -eq $Session.Exchange -or [string] $Session.Exchange.RunspaceStateInfo.State -ne 'Opened') {
                Open-Exchange $Session.Opening
            }
            [void] (Invoke-Exchange $Call.Name $Call.Parameters)
            return
        }
        catch {
            if ($attempt -ge 4) { throw }
            Start-Sleep -Seconds 2
        }
    }
}

# How many questions nobody has answered.
function Get-Refused {
    if ($null -eq $Session.Answers) { return 0 }
    return $Session.Answers.UI.Refused
}

# How many were answered.
function Get-Answered {
    if ($null -eq $Session.Answers) { return 0 }
    return $Session.Answers.UI.Answered
}

# A cmdlet that gets no answer to its first question does nothing. Of one that has asked before, and of a request that has
# changed something before, nobody knows.
function Assert-NothingAsked([int] $Before, [int] $Answered) {
    if ((Get-Refused) -gt $Before) {
        if ($Reply.Begun -le 1 -and (Get-Answered) -eq $Answered) { $Reply.Mutated = 'no' }
        throw (New-Condition 'confirmation_required' "$($Session.Calling) asks a question that nobody expected")
    }
}

# An error of the stream, as an exception that keeps its record.
function New-PipelineError([System.Management.Automation.ErrorRecord] $Record) {
    $exception = New-Object System.Exception $Record.Exception.Message, $Record.Exception
    $exception.Data['record'] = $Record
    return $exception
}

# What is known of an error. Texts are for people; the rest does not depend on a language.
function Get-ErrorFacts([System.Management.Automation.ErrorRecord] $Caught) {
    $record = $Caught
    $kind = $null
    $itself = $null
    # The outer exceptions are those of the call, the record that tells something is further in.
    for ($inner = $Caught.Exception; $null -ne $inner; $inner = $inner.InnerException) {
        if ($inner.Data.Contains('certwright')) { $kind = [string] $inner.Data['certwright']; break }
        if ($inner.Data.Contains('record')) { $record = $inner.Data['record']; break }
        if ($inner -is [System.Management.Automation.IContainsErrorRecord] -and
            $inner -isnot [System.Management.Automation.MethodInvocationException]) {
            $record = $inner.ErrorRecord
            $itself = $inner
        }
    }
    # A failed call of a method says nothing itself; what it has called does.
    $exception = $record.Exception
    # A record that an exception makes of itself has a stand-in for it.
    if ($exception -is [System.Management.Automation.ParentContainsErrorRecordException] -and $null -ne $itself) {
        $exception = $itself
    }
    while (($exception -is [System.Management.Automation.MethodInvocationException] -or
            $exception -is [System.Reflection.TargetInvocationException]) -and $null -ne $exception.InnerException) {
        $exception = $exception.InnerException
    }
    # The number of Windows' remote management; the id holds it for some cmdlets, and words for others.
    $code = $null
    if ($exception -is [System.Management.Automation.Remoting.PSRemotingTransportException]) {
        $code = [int] $exception.ErrorCode
    }
    $types = New-Object System.Collections.ArrayList
    if ($exception -is [System.Management.Automation.RemoteException] -and
        $null -ne $exception.SerializedRemoteException) {
        foreach ($name in $exception.SerializedRemoteException.PSObject.TypeNames) {
            [void] $types.Add(($name -replace '^Deserialized\.', ''))
        }
    }
    for ($type = $exception.GetType(); $null -ne $type -and $type -ne [object]; $type = $type.BaseType) {
        [void] $types.Add($type.FullName)
    }
    return @{
        message  = $exception.Message
        kind     = $kind
        code     = $code
        fqid     = [string] $record.FullyQualifiedErrorId
        category = [string] $record.CategoryInfo.Category
        reason   = [string] $record.CategoryInfo.Reason
        target   = [string] $record.CategoryInfo.TargetName
        types    = $types.ToArray()
        cmdlet   = $Session.Calling
        stage    = $Reply.Stage
        mutated  = $Reply.Mutated
    }
}

# A call as it comes in a request: its parameters, each with a value of one kind.
function Read-Call($Call) {
    $parameters = New-Object System.Collections.Specialized.OrderedDictionary
    foreach ($parameter in $Call['parameters']) {
        $parameters.Add([string] $parameter['name'], (Read-Value $parameter))
    }
    return @{ Name = [string] $Call['name']; Parameters = $parameters }
}

function Read-Value($Parameter) {
    $value = $Parameter['value']
    switch ([string] $Parameter['kind']) {
        'switch' { return $true }
        'boolean' { return [bool] $value }
        'number' { return [int] $value }
        'text' { return [string] $value }
        'texts' { return , [string[]] $value }
        'null' { return $null }
        'bytes' { return , [System.Convert]::FromBase64String([string] $value) }
        'secret' { return ConvertTo-Secret ([string] $value) }
        'now' { return [datetime]::Now }
        'moment' {
            $culture = [System.Globalization.CultureInfo]::InvariantCulture
            return [datetime]::Parse([string] $value, $culture,
                [System.Globalization.DateTimeStyles]::RoundtripKind).ToLocalTime()
        }
        default { throw (New-Condition 'bad_request' "a value of the kind $($Parameter['kind'])") }
    }
}

function ConvertTo-Secret([string] $Text) {
    $secret = New-Object System.Security.SecureString
    foreach ($character in $Text.ToCharArray()) { $secret.AppendChar($character) }
    $secret.MakeReadOnly()
    return $secret
}

# A change. $Reached says whether its goal is there already: then nothing is done, and an error after which the goal is
# there is none. What was done and what was not is said in $Reply.Mutated, whatever happens.
function Invoke-Change([string] $What, [scriptblock] $Reached, [scriptblock] $Do) {
    $Reply.Stage = 'guard'
    if (& $Reached) { return $false }
    if ($Reply.WhatIf) { $Reply.WouldDo.Add($What); return $false }
    $Reply.Stage = 'call'
    $Reply.Mutated = 'unknown'
    try { & $Do | Out-Null }
    catch {
        $first = $_
        $Reply.Stage = 'check'
        $there = & $Reached
        if ($there) {
            $Reply.Warnings.Add("reported an error, and did it: $($first.Exception.Message)")
            $Reply.Mutated = 'yes'
            return $true
        }
        $Reply.Stage = 'call'
        $Reply.Mutated = 'no'
        throw $first
    }
    $Reply.Stage = 'check'
    if (-not (& $Reached)) { throw (New-Condition 'not_reached' "$What reported success, and it is not so") }
    $Reply.Mutated = 'yes'
    return $true
}

# A change whose goal cannot be seen, or that makes something new each time.
function Invoke-Blindly([string] $What, [scriptblock] $Do) {
    if ($Reply.WhatIf) { $Reply.WouldDo.Add($What); return $null }
    $Reply.Stage = 'call'
    $Reply.Mutated = 'unknown'
    $output = & $Do
    $Reply.Mutated = 'yes'
    return , $output
}
