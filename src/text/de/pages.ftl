# Was jede Seite hat, der Eingang, Stapel, das eigene Konto. Stufen und Signale mit ihren Namen.

nav-skip = Zum Inhalt
nav-label = Hauptmenü
nav-inbox = Eingang
nav-batches = Stapel
nav-identity = Identität
nav-admin = Verwaltung
nav-account = Konto
nav-logout = Abmelden
footer-support = Bonafide hilft bei der Entscheidung eines Menschen und trifft keine.
footer-language = Sprache
footer-theme = Darstellung
theme-system = System
theme-light = Hell
theme-dark = Dunkel

level-inconclusive = Ohne Ergebnis
level-clear = Unauffällig
level-suspicious = Auffällig
level-alert = Alarm
level-inconclusive-means = Die Belege tragen kein Urteil. Das spricht weder für noch gegen die Person.
level-clear-means = Die Belege passen zu einer echten Person, die dieselbe bleibt.
level-suspicious-means = Etwas in diesem Gespräch verdient einen zweiten Blick.
level-alert-means = Starke Belege sprechen gegen eine echte Person vor der Kamera.
level-inconclusive-means-not = Das ist kein milder Verdacht: Die Gründe sagen, was fehlte und was helfen würde.
level-clear-means-not = Das ist kein Beweis: Kein Verfahren kennt jeden Angriff, und über Können oder Ehrlichkeit ist nichts gesagt.
level-suspicious-means-not = Das ist kein Befund: Auch eine echte Person vor einer schlechten Kamera kann auffallen. Sehen Sie sich die Abschnitte und ihre Gründe an.
level-alert-means-not = Das ist kein Beweis für Betrug und allein kein Grund für eine Entscheidung. Sehen Sie sich die Abschnitte und ihre Gründe an.

state-unreviewed = Ungeprüft
state-in-review = In Prüfung
state-decided = Entschieden

signal-identity = Dieselbe Person
signal-presentation = Foto oder Bildschirm
signal-deepfake = Ersetztes Gesicht
signal-motion = Bewegung des Gesichts
signal-presence = Anwesenheit
signal-stream = Videostrom

score-words = { $value } ({ $low } bis { $high })
score-none = kein Wert
score-explained = Der Wert ist die Wahrscheinlichkeit, dass die Person echt ist, bei der Vorannahme dieser Richtlinie; in Klammern das 95-%-Intervall.

ago-now = gerade eben
ago-minutes = { $n ->
    [one] vor { WHOLE($n) } Minute
   *[other] vor { WHOLE($n) } Minuten
}
ago-hours = { $n ->
    [one] vor { WHOLE($n) } Stunde
   *[other] vor { WHOLE($n) } Stunden
}
ago-days = { $n ->
    [one] vor { WHOLE($n) } Tag
   *[other] vor { WHOLE($n) } Tagen
}
duration-secs = { WHOLE($n) } s
duration-minutes = { WHOLE($n) } min

login-title = Anmelden
login-lead = Ferngespräche prüfen: sehen warum, vergleichen, entscheiden.
login-name = Benutzername
login-password = Passwort
login-submit = Anmelden
login-wrong = Benutzername oder Passwort ist falsch.
login-too-many = Zu viele Versuche. In { WHOLE($n) } s geht es wieder.
login-help = Konten legt die Verwaltung an, das erste mit „bonafide users create“ auf dem Server.
login-oidc = Mit dem Konto Ihrer Organisation anmelden
login-oidc-with = Mit { $name } anmelden
login-oidc-or = Oder mit Benutzername und Passwort dieses Servers:
login-oidc-unreachable = Der Anmeldedienst Ihrer Organisation antwortet gerade nicht. Versuchen Sie es später wieder, oder melden Sie sich mit Benutzername und Passwort dieses Servers an.
login-oidc-unusable = Der Anmeldedienst Ihrer Organisation antwortet nicht wie erwartet. Die Verwaltung findet die Ursache im Protokoll des Servers.
login-oidc-denied = Der Anmeldedienst Ihrer Organisation hat Sie nicht angemeldet. Versuchen Sie es noch einmal.
login-oidc-stale = Was zurückkam, gehört zu keiner Anmeldung, die dieser Browser hier in den letzten zehn Minuten begonnen hat. Beginnen Sie neu, in einem einzigen Tab.
login-oidc-tenants = Ihre Gruppen gehören zu mehr als einem Mandanten dieses Servers. Das muss die Kontenverwaltung Ihrer Organisation ändern.
login-oidc-token = Was der Anmeldedienst Ihrer Organisation schickte, war nicht glaubwürdig. Versuchen Sie es noch einmal; die Verwaltung findet die Ursache im Protokoll des Servers.
login-oidc-too-many = Zu viele Versuche. In einigen Minuten geht es wieder.
login-oidc-no-role = Ihre Organisation kennt Sie, aber keine Ihrer Gruppen hat hier eine Rolle. Bitten Sie die Verwaltung um Zugang.
login-oidc-bad-name = Ihr Name beim Anmeldedienst kann hier keiner eines Kontos sein: höchstens 64 von A-Z, a-z, 0-9, '.', '_', '-', '@' und '+'.
login-oidc-name-taken = Ihr Benutzername gehört hier schon einem anderen Konto, etwa einem mit Passwort. Nichts wurde geändert; die Verwaltung muss klären, wessen es ist.
login-oidc-inactive = Ihr Konto ist hier gesperrt.
login-oidc-other-tenant = Ihr Konto gehört zu einem anderen Mandanten dieses Servers, als Ihre Gruppen jetzt sagen. Die Verwaltung muss das richtigstellen.

account-title = Ihr Konto
account-name = Benutzername
account-display-name = Name
account-roles = Rollen
account-password = Passwort
account-old-password = Jetziges Passwort
account-new-password = Neues Passwort
account-new-password-again = Neues Passwort, noch einmal
account-password-rule = Mindestens { WHOLE($n) } Zeichen; einige Wörter hintereinander sind gut. Alle Anmeldungen des Kontos enden.
account-change-password = Passwort ändern
account-from-provider = Sie melden sich mit { $issuer } an. Hier gibt es kein Passwort; Name und Rollen kommen bei jeder Anmeldung von dort.
account-not-the-same = Die beiden neuen Passwörter sind nicht gleich.
role-viewer = Lesen
role-viewer-means = liest Sitzungen
role-reviewer = Prüfen
role-reviewer-means = liest, beurteilt und entscheidet
role-investigator = Ermitteln
role-investigator-means = prüft und vergleicht Gesichter über Sitzungen hinweg
role-admin = Verwalten
role-admin-means = betreibt die Installation: Konten, Sperren, Löschen, Protokoll; prüft nur mit jener Rolle

said-assigned = Zugewiesen.
said-released = Zurückgegeben: Niemand kümmert sich jetzt darum.
said-marked = Ihre Beurteilung ist gespeichert.
said-decided = Ihre Entscheidung ist gespeichert.
said-held = Die Sitzung ist gegen Löschen gesperrt.
said-let-go = Die Löschsperre ist aufgehoben.
said-deleted = Die Sitzung ist gelöscht. Ein Vermerk steht im Protokoll.
said-password = Das Passwort ist geändert. Melden Sie sich mit dem neuen an.
said-account = Das Konto ist gespeichert.
said-logged-out = Sie sind abgemeldet.

error-to-inbox = Zum Eingang
error-request = Anfrage
error-400-title = Diese Anfrage ergibt keinen Sinn
error-400-text = Etwas darin ist nicht zu lesen. Gehen Sie zurück und prüfen Sie Ihre Angaben.
error-401-title = Sie sind nicht angemeldet
error-401-text = Melden Sie sich an und versuchen Sie es noch einmal.
error-403-title = Das dürfen Sie nicht
error-403-text = Ihrem Konto fehlt die Berechtigung. Der Versuch steht im Protokoll.
error-404-title = Hier ist nichts
error-404-text = Die Seite oder Sitzung gibt es nicht, oder sie ist nicht für Sie bestimmt.
error-405-title = So geht es nicht
error-405-text = Diese Adresse nimmt eine solche Anfrage nicht an.
error-409-title = Das passt nicht mehr
error-409-text = Etwas hat sich inzwischen geändert oder steht im Weg. Laden Sie die Seite neu.
error-413-title = Das ist zu viel
error-413-text = Das Formular ist größer als jedes von uns. Kürzen Sie Ihren Text.
error-429-title = Zu viel auf einmal
error-429-text = Eine Grenze ist erreicht. Versuchen Sie es gleich noch einmal.
error-500-title = Das ging schief
error-500-text = Ein Fehler von uns. Nennen Sie dem Betrieb die Anfrage unten.
error-503-title = Gerade nicht
error-503-text = Der Server startet, endet oder wartet auf seine Datenbank. Versuchen Sie es gleich noch einmal.
error-other-title = Das hat nicht geklappt
error-other-text = Der Server konnte nicht antworten. Nennen Sie dem Betrieb die Anfrage unten.
error-stale-form = Das Formular gehört zu einer anderen Anmeldung oder ist zu alt. Laden Sie die Seite neu und wiederholen Sie es.
error-foreign-form = Das Formular kommt nicht von einer unserer Seiten.
error-logged-out = Ihre Anmeldung ist abgelaufen. Melden Sie sich an und wiederholen Sie es.
error-timeout = Es hat zu lange gedauert. Versuchen Sie es gleich noch einmal.
error-nothing-chosen = Nichts ist ausgewählt. Gehen Sie zurück und wählen Sie aus.
error-not-confirmed = Das war nicht die Kennung der Sitzung. Nichts ist gelöscht.
error-too-many-live = So viele Seiten werden schon live verfolgt, wie dieser Server erlaubt. Die Seite selbst geht weiter: Laden Sie sie neu.
error-detail = Technisch, auf Englisch:
error-with-detail = { $said } (Technisch, auf Englisch: { $detail })
problem-note = Die Notiz fehlt, ist zu lang oder kein einfacher Text. Sagen Sie in einem Satz, was Sie gefunden haben.
problem-name = Dieser Name geht nicht: höchstens 64 Buchstaben ohne Umlaute, Ziffern, Punkte, Striche, Unterstriche, @ und +.
problem-text = Der Text ist zu lang oder enthält Steuerzeichen.
problem-consent = Nennen Sie in einfachem Text, wo die Einwilligung abgelegt ist.
problem-roles = Diese Rollen gehen nicht: Ein Konto braucht mindestens eine, und niemand nimmt sich selbst eine weg.
problem-password = Das Passwort ist zu kurz oder zu lang. Nehmen Sie einige Wörter.
problem-old-password = Das ist nicht Ihr Passwort.
problem-picture = Das Bild ist nicht zu gebrauchen. Nehmen Sie eines von einer Person, die bei gutem Licht in die Kamera blickt.
problem-participant = In dieser Sitzung waren mehrere zu sehen. Nennen Sie, wen Sie meinen.
problem-same-face = Das ist zweimal dasselbe Gesicht. Nennen Sie zwei.
problem-expiry = Der Tag, an dem es gelöscht werden soll, geht nicht.
problem-labels = Es sind zu viele oder zu lange Merkmale, oder sie enthalten Zeichen, die ein Merkmal nicht haben kann.
problem-id = Das ist keine Kennung.
problem-taken = Das gibt es schon.
problem-held = Für die Sitzung gilt eine Löschsperre. Heben Sie diese zuerst auf.
problem-stale = Jemand anderes war schneller. Laden Sie die Seite neu und sehen Sie nach, was geschehen ist.
problem-page = Diese Adresse gehört zu einer anderen Liste. Beginnen Sie mit deren erster Seite.
problem-session = Der Stand der Sitzung lässt das nicht zu: Sie läuft noch, hat keine Vorlage eines Gesichts oder hat schon alles, was sie haben darf.
problem-candidate = Zu diesem Bewerber gibt es schon so viele Referenzen wie erlaubt, oder er wird gerade geändert.
problem-template = So lassen sich die Gesichter nicht vergleichen.
problem-no-models = Bilder sieht sich nur ein Server mit Modellen an.
problem-too-many-templates = Es sind mehr Gesichter gespeichert, als dieser Server durchsuchen darf. Wer ihn betreibt, kann mehr erlauben.

inbox-title = Eingang
inbox-states = Sitzungen nach Stand
inbox-levels = Sitzungen nach Stufe
inbox-all = Alle
inbox-all-levels = Alle Stufen
inbox-filter = Filter
inbox-assignee = Zuständig
inbox-candidate = Bewerber
inbox-reference = Referenz
inbox-label = Merkmal (Name=Wert)
inbox-from = Angelegt ab
inbox-to = Angelegt bis
inbox-apply = Anwenden
inbox-reset = Zurücksetzen
inbox-of-all = Alle
inbox-of-nobody = Niemand
inbox-mine = Ich
inbox-level = Stufe
inbox-session = Sitzung
inbox-score = Wert
inbox-created = Angelegt
inbox-state = Stand
inbox-choose = Auswahl
inbox-choose-one = { $name } auswählen
inbox-live = Live
inbox-held = Löschsperre
inbox-take = Nehmen
inbox-take-one = { $name } nehmen
inbox-give-to = Ausgewählte zuweisen an
inbox-give = Zuweisen
inbox-pages = Seiten
inbox-first-page = Erste Seite
inbox-next-page = Nächste Seite
inbox-keys = Tasten: j und k bewegen, Eingabe öffnet.
inbox-bad-candidate = Die Kennung eines Bewerbers besteht nur aus Buchstaben, Ziffern, '.', '_' und '-'.
inbox-bad-label = Schreiben Sie ein Merkmal als Name=Wert.
inbox-bad-date = Schreiben Sie ein Datum als Jahr-Monat-Tag.
inbox-empty-title = Noch kein Gespräch
inbox-empty-text = Sitzungen erscheinen hier, sobald ein Plugin eine überträgt oder Sie dem Server eine Aufnahme vorspielen:
inbox-no-match-title = Nichts gefunden
inbox-no-match-text = Keine Sitzung ist so. Nehmen Sie einen Filter weg.
inbox-done-title = Alles erledigt
inbox-done-text = Hier wartet nichts. Der Rest steht unter einem anderen Reiter.

batches-explained = Sitzungen mit demselben Merkmal „batch“: wie sie ausgingen und wie weit die Prüfung ist.
batches-empty-title = Noch keine Stapel
batches-empty-text = Geben Sie Sitzungen beim Anlegen das Merkmal „batch“, etwa batch=2026-11, und sie werden hier zusammen gezählt.
batches-name = Stapel
batches-sessions = Sitzungen
batches-levels = Stufen
batches-scored = Beendet
batches-decided = Entschieden
