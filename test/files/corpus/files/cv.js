WScript.Echo(1)
