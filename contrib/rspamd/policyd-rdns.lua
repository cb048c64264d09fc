-- Scores the header that rules of action "tag" add. Goes to
-- /etc/rspamd/lua.local.d/policyd-rdns.lua. Write your rules' names, and take the header
-- off the mail of strangers first: see contrib/postfix/policyd-rdns.header_checks.
local tag = config['regexp']
tag['RDNS_TAGGED']   = { re = 'X-Policyd-Rdns=/^rule=/{header}', score = 1.0, group = 'rdns', description = 'a rule of policyd-rdns tagged it' }
tag['RDNS_CONSUMER'] = { re = 'X-Policyd-Rdns=/^rule=([^;]+, )?strangers from consumer lines(,|;|$)/{header}', score = 2.0, group = 'rdns', description = 'tagged by this very rule' }
tag['RDNS_GENERIC']  = { re = 'X-Policyd-Rdns=/; name=generic(;|$)/{header}', score = 1.0, group = 'rdns', description = 'its reverse name was made from its address' }
tag['RDNS_FORGED']   = { re = 'X-Policyd-Rdns=/; fcrdns=(mismatch|unresolved|none)(;|$)/{header}', score = 2.0, group = 'rdns', description = 'its reverse name does not resolve to it' }
tag['RDNS_HELO']     = { re = 'X-Policyd-Rdns=/; helo=(mismatch|unresolved)(;|$)/{header}', score = 1.0, group = 'rdns', description = 'its HELO is not its own' }
