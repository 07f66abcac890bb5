# Der Bericht über eine Sitzung; siehe en/report.ftl.

report-title = Interviewbericht
report-subject = Wie gut ein Interview zu einem echten Menschen vor einer echten Kamera passt
report-page = Seite { $page } von { $pages }
report-footer = Stützt die Entscheidung eines Menschen. Beweist allein nichts.
report-attachment = Der Inhalt dieses Berichts als JSON
report-utc = { $time } UTC
report-from-to = { $start } bis { $end }
report-none = –

report-fact-session = Sitzung
report-fact-candidate = Bewerber
report-fact-reference = Ihr Zeichen
report-fact-consent = Einwilligung abgelegt als
report-fact-interview = Interview
report-fact-labels = Kennzeichen
report-fact-evidence = Standbilder
report-fact-expires = Löschung
report-fact-made = Bericht erstellt
report-still-open = ab { $start }, bei Erstellung des Berichts noch offen
report-made-by = { $time }, für { $who }
report-evidence-stills = aufbewahrt, versiegelt
report-evidence-no_images = von dieser Sitzung werden keine aufbewahrt
report-expires = spätestens { $time }
report-expires-never = kein Zeitpunkt festgelegt
report-held = nicht, solange die Löschsperre besteht

report-level-clear = Unauffällig
report-level-suspicious = Auffällig
report-level-alert = Alarm
report-level-inconclusive = Ohne Ergebnis
report-meaning-clear = Die Hinweise passen zu einem echten Menschen vor einer echten Kamera.
report-meaning-suspicious = Etwas in diesem Interview verdient einen zweiten Blick.
report-meaning-alert = Es gibt starke Hinweise auf einen Angriff, etwa eine andere Person, ein abgespieltes Bild oder ein verändertes Gesicht.
report-meaning-inconclusive = Die Hinweise tragen kein Urteil, weder dafür noch dagegen. Die Gründe sagen, warum, und was helfen würde.
report-nobody = Niemand wurde bewertet
report-nobody-why = Es kam nichts an, was sich messen ließ; also gibt es kein Urteil.

report-score = Wert
report-score-interval = 95-%-Intervall { $low } bis { $high }
report-score-none = Kein Wert
report-score-none-why = die Hinweise tragen keinen
report-score-low-end = 0: spricht für einen Angriff
report-score-high-end = 1: spricht für einen echten Menschen
report-score-alt = Wert { $value } auf einer Skala von 0, was für einen Angriff spricht, bis 1, was für einen echten Menschen spricht; 95-%-Intervall { $low } bis { $high }.
report-score-none-alt = Skala von 0 bis 1 ohne Wert, weil die Hinweise keinen tragen.
report-thresholds = Gestrichelt: unauffällig ab { $clear }, auffällig unter { $suspicious }, Alarm unter { $alert }
report-usable = { $secs } brauchbares Gesicht, gemessen bis { $end }
report-participant = Teilnehmer { $who }
report-more-participants = { $count ->
    [one] Ein weiterer Teilnehmer ist unten beschrieben.
   *[other] { $count } weitere Teilnehmer sind unten beschrieben.
}

report-says = Was das besagt
report-says-score = Der Wert ist die Wahrscheinlichkeit, dass hier ein echter Mensch vor einer echten Kamera sitzt und derselbe bleibt, bei der Annahme und den Regeln, die am Ende genannt sind.
report-says-interval = Das Intervall zeigt, wie viel dahintersteht: Ein breites beruht auf wenig.
report-says-segments = { $count ->
    [0] Kein Abschnitt des Interviews fiel auf.
    [one] Ein Abschnitt des Interviews verdient einen zweiten Blick. Er ist kein Vorwurf.
   *[other] { $count } Abschnitte des Interviews verdienen einen zweiten Blick. Sie sind kein Vorwurf.
}
report-says-not = Was es nicht besagt
report-says-not-proof = Es ist kein Beweis. Kein Verfahren kennt jeden Angriff, und ein echter Mensch mit einer schlechten Kamera kann auffallen.
report-says-not-person = Es sagt nichts über Gefühle, Aufregung, Akzent, Herkunft oder Ehrlichkeit.
report-says-not-decision = Es entscheidet nichts. Das tun Menschen.

report-outcome = Was Menschen entschieden haben
report-state-unreviewed = Noch niemand hat diese Sitzung geprüft.
report-state-in_review = Die Prüfung läuft.
report-state-decided = Die Prüfung ist abgeschlossen.
report-decision-proceed = Weiter
report-decision-clarify = Klären
report-decision-decline = Ablehnen
report-decision-meaning-proceed = nichts steht im Weg
report-decision-meaning-clarify = die Person soll auf andere Weise zeigen, wer sie ist
report-decision-meaning-decline = das Interview gab nicht die Person, die sich beworben hat, oder nicht vor einer Kamera
report-decided-by = { $who }, { $time }
report-decisions = Entscheidungen
report-decisions-none = Niemand hat entschieden.
report-assignee = Zuständig: { $who }.
report-assignee-none = Niemand ist zuständig.
report-second-never = Ein Mensch entscheidet.
report-second-decline = Eine Entscheidung gegen die Person braucht einen zweiten Menschen, der zustimmt.
report-second-always = Jede Entscheidung braucht einen zweiten Menschen, der zustimmt.
report-hold = Eine Löschsperre bewahrt diese Sitzung vor dem Löschen.

report-timeline = Der Wert im Verlauf
report-timeline-intro = Die Linie ist der Wert des Interviews bis dahin, das Band darum das 95-%-Intervall. Wo nichts gezeichnet ist, gab es noch keinen Wert. Die Balken darunter sind Abschnitte, die einen zweiten Blick verdienen, mit ihrer Nummer.
report-timeline-alt = Wert von Teilnehmer { $who } von { $start } bis { $end }. Er endet bei { $last } und war mit { $lowest } am niedrigsten bei { $at }. { $count ->
    [0] Kein Abschnitt ist markiert.
    [one] Ein Abschnitt ist markiert.
   *[other] { $count } Abschnitte sind markiert.
}
report-timeline-alt-none = Wert von Teilnehmer { $who } von { $start } bis { $end }: Zu keiner Zeit trugen die Hinweise einen.
report-timeline-none = Von diesem Teilnehmer ist kein Wert gespeichert.
report-timeline-more = Die Verläufe von { $count } weiteren Teilnehmern stehen im angehängten JSON.

report-signals = Was jedes Signal gemessen hat
report-signals-intro = Jedes Signal gibt ein logarithmisches Likelihood-Verhältnis: Über 0 spricht es für einen echten Menschen, unter 0 für einen Angriff; 3 ist etwa ein Faktor 20. Signale, die nicht messbar waren, sagen das und zählen in keine Richtung.
report-signals-summary = Signale von Teilnehmer { $who }: Gewicht, brauchbarer Anteil und Gründe von jedem.
report-column-signal = Signal
report-column-llr = Gewicht
report-column-usable = Brauchbar
report-column-reasons = Was zu sehen war
report-signal-identity = Gleiche Person
report-signal-presentation = Foto oder Bildschirm
report-signal-deepfake = Verändertes Gesicht
report-signal-motion = Natürliche Bewegung
report-signal-presence = Anwesenheit
report-signal-stream = Videostrom
report-signal-about-identity = durchgehend dasselbe Gesicht, und das des Referenzbilds
report-signal-about-presentation = ein Bild oder Video, das vor die Kamera gehalten wird
report-signal-about-deepfake = ein getauschtes, nachgestelltes oder gemischtes Gesicht
report-signal-about-motion = Bewegung im Gesicht
report-signal-about-presence = Gesichter im Bild, schwarzes oder eingefrorenes Bild
report-signal-about-stream = Schleifen, Kopien, Takt und Gerät des Videos
report-not-measured = nicht gemessen

report-segments = Abschnitte, die einen zweiten Blick verdienen
report-segments-none = Kein Abschnitt dieses Interviews fiel auf.
report-segments-left-out = { $count ->
    [one] Ein weiterer Abschnitt ist hier weggelassen
   *[other] { $count } weitere Abschnitte sind hier weggelassen
}: Gezeigt sind die mit einem Vermerk und die schlimmsten. Bis zu 2.000 stehen im angehängten JSON.
report-segment = Nr. { $number }
report-segment-open = bei Erstellung des Berichts noch offen
report-segment-of = Teilnehmer { $who }
report-segment-unmarked = Niemand hat sich dazu geäußert.
report-mark-confirmed = Bestätigt: verdient einen zweiten Blick
report-mark-dismissed = Verworfen: harmlos zu erklären
report-marked-by = { $who }, { $time }

report-stills = Standbilder
report-stills-enrolment = Erste gute Ansichten von Teilnehmer { $who }
report-still-alt = Standbild von Teilnehmer { $who }: { $caption }.
report-still-alt-segment = Standbild von Teilnehmer { $who }, in Abschnitt Nummer { $number }: { $caption }.
report-still-presentation = Foto oder Bildschirm { $score }
report-still-deepfake = verändertes Gesicht { $score }
report-still-broken = Dieses Standbild kann nicht gezeigt werden.
report-gap = Kein Standbild: { $cause }.
report-gap-no_images = die Sitzung bewahrt keine Bilder auf
report-gap-no_picture = kein betrachtetes Bild zeigt, worum es geht
report-gap-full = die Sitzung hat so viele, wie sie haben darf
report-gap-not_kept = es konnte nicht geschrieben werden
report-gap-expired = seine Zeit war abgelaufen
report-gap-broken = es wurde nach dem Aufbewahren geändert, oder sein Schlüssel ist verloren
report-stills-left-out = { $count ->
    [one] Ein weiteres Standbild ist
   *[other] { $count } weitere Standbilder sind
} weggelassen.

report-review = Prüfung

report-audit = Wer was getan hat
report-audit-intro = Was das Protokoll über diese Sitzung sagt, das Älteste zuerst.
report-audit-summary = Zeilen des Protokolls zu dieser Sitzung: Zeile, Zeit, wer, was.
report-audit-left-out = { $count ->
    [one] Eine ältere Zeile ist
   *[other] { $count } ältere Zeilen sind
} weggelassen.
report-column-row = Zeile
report-column-time = Zeit (UTC)
report-column-who = Wer
report-column-what = Was
report-outcome-denied = abgewiesen
report-outcome-failed = misslungen
report-actor-key = API-Schlüssel { $name }
report-actor-user = { $name }
report-actor-system = das Programm ({ $name })
report-actor-cli = Kommandozeile ({ $name })
report-action-session-create = legte die Sitzung an
report-action-session-update = änderte Felder der Sitzung
report-action-session-finish = beendete die Sitzung
report-action-session-delete = löschte die Sitzung
report-action-session-expire = löschte die Sitzung am Ende ihrer Aufbewahrung
report-action-session-view = öffnete die Sitzung
report-action-session-hold = setzte oder löste eine Löschsperre
report-action-evidence-view = öffnete ein Standbild
report-action-evidence-expire = löschte Standbilder am Ende ihrer Aufbewahrung
report-action-review-assign = gab die Sitzung weiter
report-action-review-mark = äußerte sich zu einem Abschnitt
report-action-review-decide = entschied
report-action-report-export = ließ einen Bericht erstellen
report-action-identity-list = ließ Bewerber oder Referenzen auflisten
report-action-identity-enroll = hinterlegte eine Referenz
report-action-identity-compare = verglich Gesichter mit einer anderen Sitzung
report-action-identity-search = suchte das Gesicht unter allen
report-action-identity-confirm = bestätigte oder verwarf einen Treffer
report-action-identity-watch = änderte die Beobachtungsliste
report-action-identity-delete = löschte eine Vorlage oder Referenz
report-action-account-login = meldete sich an
report-action-account-logout = meldete sich ab
report-action-account-create = legte ein Konto an
report-action-account-update = änderte ein Konto
report-action-account-password = setzte ein Passwort
report-action-audit-begin = begann das Protokoll
report-action-system-view = sah sich die Installation an
report-action-audit-read = las das Protokoll
report-action-audit-prune = löschte alte Zeilen des Protokolls
report-action-keys-rotate = nahm einen neuen Hauptschlüssel in Gebrauch

report-limits = Wie gemessen wurde, und wo die Grenzen liegen
report-limit-picture = Betrachtet wird allein das Bild der Person. Ton wird nicht ausgewertet.
report-limit-signals = Unabhängige Signale messen es. Jedes ist an Aufnahmen geeicht, deren Wahrheit bekannt ist, und eines, das zu wenig gesehen hat, sagt nichts.
report-limit-fusion = Sie werden als Mischung von Angriffsarten verrechnet, sodass gute Hinweise gegen eine Art schlechte Hinweise auf eine andere nicht überstimmen. Zu wenig brauchbares Gesicht oder weniger als zwei unabhängige Arten von Hinweisen ergeben kein Urteil.
report-limit-unseen = Sorgfältige Gesichtstausche in Echtzeit und Video, das hinter der Kamera in den Strom gelegt wird, können unbemerkt bleiben. Was hier nicht steht, wurde nicht gefunden; das heißt nicht, dass es nicht da war.
report-limit-groups = Wie ähnlich zwei Gesichter für ein Modell aussehen, schwankt zwischen Gruppen von Menschen. Jeden Treffer muss ein Mensch bestätigen.
report-limit-client = Was das sendende Programm über sich sagt, etwa Gerät und Takt, ist ein schwacher Hinweis: Ein geändertes Programm kann alles behaupten.
report-limit-figures = Wie oft das Programm irrt, und auf welchen Daten, steht in der Auswertung zur unten genannten Version.
report-limit-person = Es soll Menschen stützen, die entscheiden. Es darf nicht der einzige Grund einer Entscheidung über einen Menschen sein.

report-origins = Woher es stammt
report-origins-intro = Was nötig ist, um den Wert zu wiederholen und um zu erkennen, ob dieser Bericht oder das, worauf er beruht, geändert wurde.
report-origins-summary = Versionen und Prüfsummen hinter diesem Bericht.
report-column-item = Angabe
report-column-value = Wert
report-origin-scored-by = Bewertet von
report-origin-made-by = Bericht erstellt von
report-origin-policy = Regeln
report-origin-model = Modell { $name }
report-origin-journal = Messwerte ({ $entries } Einträge), SHA-256
report-origin-still = Standbild { $number }, SHA-256
report-origin-chip = Standbild { $number }, Gesicht, SHA-256
report-origin-audit = Ende des Protokolls (Zeile:Prüfsumme)
report-origin-content = Inhalt dieses Berichts, SHA-256
report-origin-json = Angehängte report.json, SHA-256
report-origin-key = Öffentlicher Schlüssel der Unterschrift
report-check = So lässt sich dieser Bericht prüfen
report-check-verify = Liegen report.pdf, report.json und report.sig in einem Ordner, nennt dies eine geänderte Datei; der öffentliche Schlüssel muss auf anderem Weg vom Betreiber kommen:
report-check-audit = Auf der Maschine, die ihn erstellt hat, sagt dies, ob das Protokoll sein damaliges Ende noch enthält:
report-replaced = Zeichen, die der Schrift fehlen, sind als □ gezeigt. Im angehängten JSON sind sie vollständig.
