# JSON in, by the reader of .NET: unlike ConvertFrom-Json it takes no text for a date, whatever the version.
function Read-Json([byte[]] $Bytes) {
    $quotas = [System.Xml.XmlDictionaryReaderQuotas]::Max
    $reader = [System.Runtime.Serialization.Json.JsonReaderWriterFactory]::CreateJsonReader($Bytes, $quotas)
    try {
        [void] $reader.MoveToContent()
        return , (Read-JsonValue $reader)
    }
    finally { $reader.Close() }
}

# The value at the reader, which stands behind it afterwards. Objects are hashtables, lists are arrays.
function Read-JsonValue($Reader) {
    $type = $Reader.GetAttribute('type')
    $isEmpty = $Reader.IsEmptyElement
    if ($type -eq 'object') {
        $table = @{}
        $Reader.ReadStartElement()
        if (-not $isEmpty) {
            while ($Reader.MoveToContent() -eq [System.Xml.XmlNodeType]::Element) {
                $name = $Reader.GetAttribute('item')
                if ($null -eq $name) { $name = $Reader.LocalName }
                $table[$name] = Read-JsonValue $Reader
            }
            $Reader.ReadEndElement()
        }
        return $table
    }
    if ($type -eq 'array') {
        $items = New-Object System.Collections.ArrayList
        $Reader.ReadStartElement()
        if (-not $isEmpty) {
            while ($Reader.MoveToContent() -eq [System.Xml.XmlNodeType]::Element) {
                [void] $items.Add((Read-JsonValue $Reader))
            }
            $Reader.ReadEndElement()
        }
        return , $items.ToArray()
    }
    $text = $Reader.ReadElementContentAsString()
    switch ($type) {
        'null' { return $null }
        'boolean' { return ($text -eq 'true') }
        'number' { return [long] $text }
        default { return $text }
    }
}

# JSON out, as ASCII. Lists stay lists whatever their length, bytes are Base64, dates are UTC.
function Write-Json($Value) {
    $builder = New-Object System.Text.StringBuilder
    Add-Json $builder $Value
    return $builder.ToString()
}

function Add-Json([System.Text.StringBuilder] $Builder, $Value) {
    if ($null -eq $Value) { [void] $Builder.Append('null'); return }
    if ($Value -is [bool]) { [void] $Builder.Append($Value.ToString().ToLowerInvariant()); return }
    if ($Value -is [int] -or $Value -is [long]) {
        [void] $Builder.Append($Value.ToString([System.Globalization.CultureInfo]::InvariantCulture))
        return
    }
    if ($Value -is [byte[]]) { Add-JsonText $Builder ([System.Convert]::ToBase64String($Value)); return }
    if ($Value -is [datetime]) {
        $utc = $Value.ToUniversalTime()
        Add-JsonText $Builder ($utc.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [System.Globalization.CultureInfo]::InvariantCulture))
        return
    }
    if ($Value -is [System.Collections.IDictionary]) {
        [void] $Builder.Append('{')
        $first = $true
        foreach ($key in $Value.Keys) {
            if (-not $first) { [void] $Builder.Append(',') }
            $first = $false
            Add-JsonText $Builder ([string] $key)
            [void] $Builder.Append(':')
            Add-Json $Builder $Value[$key]
        }
        [void] $Builder.Append('}')
        return
    }
    if ($Value -is [System.Collections.IEnumerable] -and $Value -isnot [string]) {
        [void] $Builder.Append('[')
        $first = $true
        foreach ($item in $Value) {
            if (-not $first) { [void] $Builder.Append(',') }
            $first = $false
            Add-Json $Builder $item
        }
        [void] $Builder.Append(']')
        return
    }
    Add-JsonText $Builder ([string] $Value)
}

function Add-JsonText([System.Text.StringBuilder] $Builder, [string] $Text) {
    [void] $Builder.Append('"')
    $escape = { param($match) '\u{0:x4}' -f [int] [char] $match.Value }
    [void] $Builder.Append([regex]::Replace($Text, '[^\x20\x21\x23-\x5b\x5d-\x7e]', $escape))
    [void] $Builder.Append('"')
}
