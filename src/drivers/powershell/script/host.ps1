# A host that says No to a question with choices, and only while it is told to. Choices are counted, since their labels
# are localized: of two the second is No, of four or five (Yes, Yes to All, No, No to All, Suspend) the third. Anything
# else, and any other question, stops the cmdlet.
class QuietInterface : System.Management.Automation.Host.PSHostUserInterface {
    [bool] $SaysNo = $false
    [int] $Refused = 0
    [int] $Answered = 0
    [System.Management.Automation.Host.PSHostRawUserInterface] get_RawUI() { return $null }
    [string] ReadLine() { throw [System.NotImplementedException]::new() }
    [System.Security.SecureString] ReadLineAsSecureString() { throw [System.NotImplementedException]::new() }
    [void] Write([string] $value) { }
    [void] Write([System.ConsoleColor] $foreground, [System.ConsoleColor] $background, [string] $value) { }
    [void] WriteLine([string] $value) { }
    [void] WriteErrorLine([string] $value) { }
    [void] WriteDebugLine([string] $message) { }
    [void] WriteProgress([long] $source, [System.Management.Automation.ProgressRecord] $record) { }
    [void] WriteVerboseLine([string] $message) { }
    [void] WriteWarningLine([string] $message) { }
    [System.Collections.Generic.Dictionary[string, psobject]] Prompt([string] $caption, [string] $message,
        [System.Collections.ObjectModel.Collection[System.Management.Automation.Host.FieldDescription]] $fields) {
        throw [System.NotImplementedException]::new()
    }
    [pscredential] PromptForCredential([string] $caption, [string] $message, [string] $user, [string] $target) {
        throw [System.NotImplementedException]::new()
    }
    [pscredential] PromptForCredential([string] $caption, [string] $message, [string] $user, [string] $target,
        [System.Management.Automation.PSCredentialTypes] $allowed,
        [System.Management.Automation.PSCredentialUIOptions] $options) {
        throw [System.NotImplementedException]::new()
    }
    [int] PromptForChoice([string] $caption, [string] $message,
        [System.Collections.ObjectModel.Collection[System.Management.Automation.Host.ChoiceDescription]] $choices,
        [int] $default) {
        if ($this.SaysNo -and ($choices.Count -eq 2 -or $choices.Count -eq 4 -or $choices.Count -eq 5)) {
            $this.Answered += 1
            if ($choices.Count -eq 2) { return 1 }
            return 2
        }
        $this.Refused += 1
        throw [System.NotImplementedException]::new()
    }
}

class QuietHost : System.Management.Automation.Host.PSHost {
    [QuietInterface] $Interface = [QuietInterface]::new()
    [guid] $Id = [guid]::NewGuid()
    [string] get_Name() { return 'certwright' }
    [version] get_Version() { return [version]::new(1, 0) }
    [guid] get_InstanceId() { return $this.Id }
    [System.Management.Automation.Host.PSHostUserInterface] get_UI() { return $this.Interface }
    [System.Globalization.CultureInfo] get_CurrentCulture() {
        return [System.Globalization.CultureInfo]::InvariantCulture
    }
    [System.Globalization.CultureInfo] get_CurrentUICulture() {
        return [System.Globalization.CultureInfo]::InvariantCulture
    }
    [void] EnterNestedPrompt() { throw [System.NotImplementedException]::new() }
    [void] ExitNestedPrompt() { throw [System.NotImplementedException]::new() }
    [void] NotifyBeginApplication() { }
    [void] NotifyEndApplication() { }
    [void] SetShouldExit([int] $exitCode) { }
}
