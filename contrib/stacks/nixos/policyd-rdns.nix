# imports = [ ./policyd-rdns.nix ]; in configuration.nix. The program is the static one of
# the archive.
{ pkgs, ... }:
let
  policyd-rdns = pkgs.runCommand "policyd-rdns" { } ''
    install -D -m 0755 ${./policyd-rdns} $out/bin/policyd-rdns
  '';
in
{
  environment.systemPackages = [ policyd-rdns ];

  environment.etc."policyd-rdns/config.toml".text = ''
    # Everything is decided and logged, and nothing refused.
    mode = "observe"
    defer_for = "4h"
    [server]
    listen = []
    [history]
    store = "/var/lib/policyd-rdns/history.sqlite"
  '';

  systemd.sockets.policyd-rdns = {
    wantedBy = [ "sockets.target" ];
    socketConfig = {
      ListenStream = "/var/lib/postfix/queue/private/policyd-rdns";
      SocketUser = "postfix";
      SocketMode = "0600";
      RemoveOnStop = true;
    };
  };

  systemd.services.policyd-rdns = {
    wantedBy = [ "multi-user.target" ];
    before = [ "postfix.service" ];
    serviceConfig = {
      Type = "notify";
      ExecStart = "${policyd-rdns}/bin/policyd-rdns serve -c /etc/policyd-rdns/config.toml";
      ExecReload = "${pkgs.coreutils}/bin/kill -HUP $MAINPID";
      Restart = "always";
      DynamicUser = true;
      StateDirectory = "policyd-rdns";
      StateDirectoryMode = "0700";
      CapabilityBoundingSet = "";
      ProtectSystem = "strict";
      ProtectHome = true;
      PrivateDevices = true;
      RestrictAddressFamilies = [ "AF_INET" "AF_INET6" "AF_UNIX" "AF_NETLINK" ];
    };
  };

  services.postfix.settings.main.smtpd_recipient_restrictions = [
    "permit_mynetworks"
    "permit_sasl_authenticated"
    "reject_unauth_destination"
    "check_policy_service { unix:private/policyd-rdns, timeout=10s, default_action=DUNNO }"
  ];
}
