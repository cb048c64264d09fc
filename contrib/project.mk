# What nobody has decided yet: the names of RFC 2606 stand for them. Here alone: the
# Makefile, the packages and SECURITY.md take them from here. The module's path (go.mod)
# is a name without a host for the same reason.
HOMEPAGE   ?= https://policyd-rdns.example.org/
MAINTAINER ?= policyd-rdns maintainers <policyd-rdns@example.org>
SECURITY   ?= security@policyd-rdns.example.org
export HOMEPAGE MAINTAINER
