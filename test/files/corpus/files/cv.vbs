MsgBox 1
