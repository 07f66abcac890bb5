# Die Verwaltung: Zustand, Einstellungen, Konten, Protokoll.

admin-label = Verwaltung
admin-health = Zustand
admin-settings = Einstellungen
admin-users = Konten
admin-audit = Protokoll

health-store = Server und Datenbank
health-ready = bereit
health-not-ready = nicht bereit
health-live = Laufende Sitzungen
health-watchers = Zuschauer
health-queue = Wartendes Video
health-database = Datenbank
health-provider = Modelle laufen auf
health-version = Version
health-of = { $n } von { $limit }
health-open = Offene Sitzungen
health-nothing-open = Keine ist offen.
health-more-open = Nur die neuesten sind aufgeführt.
health-metrics = Alle Zahlen im Verlauf: /metrics am Anschluss für den Betrieb (telemetry.ops_listen).

settings-retention = Aufbewahrung und Prüfung
settings-retention-sessions = Sitzungen werden gelöscht nach
settings-days = { $n ->
    [one] { WHOLE($n) } Tag
   *[other] { WHOLE($n) } Tagen
}
settings-consent = Ein Verweis auf die Einwilligung ist nötig
settings-second-reviewer = Eine zweite Person ist nötig
settings-second-never = für keine Entscheidung
settings-second-decline = für Ablehnungen
settings-second-always = für jede Entscheidung
settings-yes = ja
settings-no = nein
settings-policy = Richtlinie
settings-policy-explained = Wie aus Messungen Urteile werden. Sie ist eine Datei (scoring.policy_file); jeder Wert nennt die Fassung, aus der er stammt.
settings-models = Modelle
settings-models-explained = Bei jedem Start mit diesen Prüfsummen verglichen; sie laufen auf { $provider }.
settings-model = Modell
settings-keys = Schlüssel
settings-keys-explained = Namen und was sie öffnen; kein Geheimnis ist irgendwo zu sehen.
settings-api-keys = API-Schlüssel
settings-no-api-keys = Keiner ist gesetzt: Wer den gRPC-Anschluss erreicht, darf ihn aufrufen.
settings-no-own-keys = Keiner öffnet die Sitzungen dieses Mandanten.
settings-key-name = Name
settings-key-scopes = Öffnet
settings-signing-keys = Schlüssel, die das Protokoll unterschreiben
settings-current-key = jetziger
policy-prior = Echt, bevor etwas zu sehen ist
policy-clear = Unauffällig ab
policy-suspicious = Auffällig unter
policy-alert = Alarm unter
policy-face-time = Nutzbares Gesicht nötig
policy-families = Arten von Belegen nötig
policy-weight = Gewicht

users-state = Stand
users-created = Angelegt
users-active = aktiv
users-disabled = gesperrt
users-new = Neues Konto
users-create = Konto anlegen
users-save = Speichern
users-may-log-in = Darf sich anmelden
users-logs-in-with = Meldet sich an mit
users-with-password = Passwort
users-with-provider = Anmeldedienst
users-from-provider = Dieses Konto kommt von { $issuer }. Name und Rollen sind die der letzten Anmeldung dort; ein Passwort hat es hier nicht.
users-subject = Kennung
users-password = Passwort setzen
users-password-explained = Geben Sie es der Person auf anderem Weg; ändern kann sie es unter „Konto“.
users-set-password = Passwort setzen

audit-explained = Wer was womit getan hat. Die Prüfsumme jeder Zeile schließt die Zeile davor ein, und das Ende ist unterschrieben.
audit-check = Jetzt prüfen
audit-in-order = Das Protokoll ist in Ordnung.
audit-summary = { $rows } Zeilen und { $signatures } Unterschriften sind geprüft; unterschrieben { $time }.
audit-keep = Heben Sie dies auf, um später zu zeigen, dass nichts ersetzt wurde:
audit-broken = Das Protokoll ist beschädigt.
audit-broken-at = Zeile { $row } ist die erste, die nicht so ist, wie sie geschrieben wurde.
audit-nothing = Kein Eintrag.
audit-row = Zeile
audit-time = Zeit
audit-actor = Wer
audit-action = Was
audit-object = Womit
audit-outcome = Ausgang
audit-details = Näheres
audit-any = Alle
audit-older = Ältere Einträge
outcome-done = getan
outcome-denied = verweigert
outcome-failed = vergeblich
