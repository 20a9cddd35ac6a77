"""Real mail servers for tests, on free loopback ports, each in a directory of its own.

`mailstack.MailStack` is Dovecot and chasquid; `coremail.ImapProxy` stands before an IMAP server and makes it
behave like imap.163.com, or misbehave; `scripted_smtp.ScriptedSmtp` answers as it is told at any step of a
letter. `fixtures` makes pytest fixtures of them.
"""
