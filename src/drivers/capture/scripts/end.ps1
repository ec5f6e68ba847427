# Which cmdlets came to their end, so that an empty file means that there is nothing.
Export-Clixml -InputObject $answers -Depth 2 -Encoding UTF8 -LiteralPath (Join-Path $folder 'certwright-answers.xml')
$failed = @($answers | Where-Object { $_.State -ne 'done' }).Count
if ($failed) { Write-Host "$failed could not be read; the reasons stand above and in the files *.failed.txt" }
Write-Host "Done. Zip this folder: $folder"
