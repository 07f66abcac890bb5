# Gesichter über Sitzungen hinweg.

identity-off = Gesichter werden hier nicht über Sitzungen hinweg verglichen. Wer diese Installation betreibt, kann es einschalten: in der Konfiguration unter [identity] „enabled = true“ setzen und neu starten. Es braucht die Einwilligung der Betroffenen.
identity-title = Schon gesehen
identity-lead = Paare, die auffallen: Gesichter oder die Orte hinter ihnen. Die Maschine schlägt vor; ein Mensch sieht hin und sagt, was sie sind.
identity-overview = Offen
identity-compare = Vergleichen
identity-search = Suchen
identity-hunt = Alle Sitzungen dieses Gesichts
identity-candidates = Bewerber
identity-watchlist = Beobachtungsliste
identity-pages = Weitere Zeilen
identity-support = Eine Ähnlichkeit ist kein Beweis. Verwandte, schlechte Bilder und Zufall lassen zwei Menschen wie einen aussehen. Jede Abfrage hier steht im Protokoll.
identity-open = Anzusehen
identity-open-none = Nichts ist offen.
identity-how = Wie Gesichter verglichen werden
identity-held = Gespeicherte Vorlagen
identity-last-look-up = Zuletzt nachgeschlagene Sitzung
identity-no-look-up = keine, seit dieser Server läuft
identity-proposes = Sitzungen werden an ihrem Ende nachgeschlagen
identity-yes = ja
identity-no = nein
identity-false-proposals = Zu erwartende Fehltreffer je Nachschlagen
identity-false-searches = Zu erwartende Fehltreffer je Suche
identity-max-templates = Gesichter, die gehalten werden können
identity-compares-scenes = Hintergründe werden verglichen
identity-calibration = Kalibrierung
identity-how-explained = Die Zahlen gelten für eine ganze Suche, nicht für ein Paar: Sie sagen, wie oft jemand, der sonst nirgends ist, trotzdem jemandem gleicht.
identity-person = ({ $participant }, Person { WHOLE($n) })
identity-reference = Referenz
identity-no-candidate = kein Bewerber genannt
identity-is-watched = beobachtet
identity-similarity = Ähnlichkeit
identity-similarity-short = Ähnlichkeit { $n }
identity-interval = 95-%-Intervall
identity-quality = Mittel aus { WHOLE($n) } Blicken, die um { $spread } abweichen
identity-quality-one = nur ein Blick

proposal-watched = Ein Gesicht der Beobachtungsliste
proposal-other_candidate = Dasselbe Gesicht unter einem anderen Bewerber
proposal-different_faces = Ein Bewerber, verschiedene Gesichter
proposal-same_scene = Derselbe Ort hinter einem anderen Bewerber
proposal-none = Von einem Menschen verglichen

opinion-same = Sieht nach einer Person aus.
opinion-different = Sieht nach zwei Personen aus.
opinion-unclear = Unklar.
ratio-even = Eine solche Ähnlichkeit ist bei einer Person etwa so wahrscheinlich wie bei zweien.
ratio-one = Eine solche Ähnlichkeit ist bei einer Person etwa { $n }-mal so wahrscheinlich wie bei zweien.
ratio-one-at-least = Eine solche Ähnlichkeit ist bei einer Person mindestens { $n }-mal so wahrscheinlich wie bei zweien.
ratio-two = Eine solche Ähnlichkeit ist bei zwei Personen etwa { $n }-mal so wahrscheinlich wie bei einer.
ratio-two-at-least = Eine solche Ähnlichkeit ist bei zwei Personen mindestens { $n }-mal so wahrscheinlich wie bei einer.
ratio-end-one = { $n }-mal eine Person
ratio-end-two = { $n }-mal zwei Personen
ratio-interval = { $low } bis { $high }

verdict-same = Dieselbe Person
verdict-different = Verschiedene Personen
verdict-open = noch niemand hat etwas gesagt
verdict-missing = Sagen Sie, ob es dieselbe Person ist oder nicht.

said-match-same = Es ist vermerkt, dass dies eine Person ist.
said-match-different = Es ist vermerkt, dass dies zwei Personen sind.
said-scene-same = Es ist vermerkt, dass dies ein Ort ist.
said-scene-different = Es ist vermerkt, dass dies zwei Orte sind.
said-watched = Das Gesicht steht auf der Beobachtungsliste.
said-unwatched = Das Gesicht steht nicht mehr auf der Beobachtungsliste.
said-reference = Die Referenz ist aufgenommen.
said-reference-deleted = Die Referenz und ihre Vorlage sind gelöscht.

compare-title = Zwei Gesichter vergleichen
compare-ask = Nennen Sie zwei Gesichter. Von beiden muss es eine Vorlage geben; eine Sitzung bekommt sie an ihrem Ende, wenn sie eine Einwilligung nennt.
compare-first = Erstes Gesicht
compare-second = Zweites Gesicht
compare-names = Als sessions/… oder candidates/…/references/…
compare-candidates = Die Seite eines Bewerbers vergleicht alle seine Sitzungen und Referenzen miteinander.
compare-no-still = Vom Anfang gibt es kein Bild: Es wurde keines behalten, oder Sie dürfen es nicht sehen.
compare-still-alt = Gesicht von { $participant } am Anfang
compare-reference-no-picture = Von einer Referenz wird nur die Vorlage behalten, kein Bild.
compare-not = Die beiden lassen sich nicht vergleichen.
compare-result = Wie ähnlich sie sind
compare-means = Was es heißt: um wie viel häufiger eine solche Ähnlichkeit zwischen Bildern einer Person ({ $same } Personen) vorkam als zwischen Bildern zweier ({ $different } Personen).
compare-means-not = Was es nicht heißt: Es ist keine Wahrscheinlichkeit, dass es dieselbe Person ist. Die hängt auch von allem ab, was sonst bekannt ist, und bei einer Suche davon, wie viele Gesichter angesehen wurden.
compare-said = Was bisher über die beiden gesagt wurde
compare-before = { $n ->
    [one] Eine frühere Aussage
   *[other] { WHOLE($n) } frühere Aussagen
}
compare-before-explained = Wie das Protokoll sie nennt, die neueste zuerst. Notizen bleiben nur bei der letzten Aussage erhalten.
compare-say = Was sagen Sie?
compare-say-explained = Ihr Wort wird mit Ihrem Namen behalten und tritt an die Stelle des vorigen; das Protokoll behält beide.
compare-note = Notiz (freiwillig)

search-title = Ein Gesicht suchen
search-known = Ein bekanntes Gesicht
search-face = Gesicht
search-picture = Ein Bild
search-file = Bild einer Person (JPEG, PNG oder WebP)
search-picture-explained = Das Bild wird angesehen und nicht behalten. Dass Sie gesucht haben, wird vermerkt.
search-wished = Hinnehmbare Fehltreffer der ganzen Suche
search-wished-explained = Je weniger, desto ähnlicher muss ein Gesicht sein, um gezeigt zu werden.
search-bad-number = Die Zahl der Fehltreffer muss über 0 liegen, zum Beispiel 0,1.
search-of = Von
search-hits = Ähnliche Gesichter
search-none = Kein Gesicht ist ähnlich genug. Wer nicht unter den hier gehaltenen ist, kann nicht gefunden werden.
search-who = Wer
search-how-alike = Wie ähnlich
search-relation = Gehört zu
search-verdict = Was Menschen sagen
relation-same = demselben Bewerber
relation-other = einem anderen Bewerber
relation-unknown = niemand hat es gesagt

figures-title = Was dahintersteht
figures-searched = Durchsuchte Gesichter
figures-threshold = Gezeigt ab Ähnlichkeit
figures-expected = Zu erwartende Fehltreffer
figures-quality = Vorlage
figures-other-model = Ausgelassen: anderes Modell
figures-unreadable = Ausgelassen: nicht zu öffnen
figures-explained = So viele Gesichter anderer Menschen sind unter den gezeigten zu erwarten, wenn die Person sonst nirgends ist.
false-matches-measured = { $expected } ({ $low } bis { $high }), an Paaren von Menschen gemessen
false-matches-extrapolated = { $expected } ({ $low } bis { $high }), hochgerechnet: Zu wenige Paare waren so ähnlich, um sie zu zählen
false-matches-beyond = höchstens { $expected } (bis zu { $high }): Mehr sagen die Daten nicht

hunt-title = Alle Sitzungen eines Gesichts
hunt-found = Sitzungen und Referenzen
hunt-explained = { $n ->
    [one] Was diesem Gesicht gleicht.
   *[other] Was diesem Gesicht gleicht oder einem der { WHOLE($n) }, von denen Menschen sagten, dass es dasselbe ist.
}
hunt-why = Warum
hunt-confirmed = ein Mensch hat es gesagt, oder es ist das Gesicht selbst
hunt-alike = nur ähnlich: ansehen
hunt-no-likeness = nach Worten von Menschen

watch-explained = Wer einem von ihnen am Ende einer Sitzung gleicht, wird Ihnen vorgeschlagen. Ein Eintrag geht mit seiner Sitzung oder Referenz.
watch-none = Niemand steht auf der Beobachtungsliste.
watch-add = Auf die Beobachtungsliste setzen
watch-remove = Herunternehmen
watch-note = Warum
watch-by = Eingetragen von
watch-actions = Aktionen

candidates-none = Kein Bewerber ist bekannt.
candidates-sessions = Sitzungen
candidates-references = Referenzen
candidates-last = Letzte Sitzung

enrol-title = Eine Referenz aufnehmen
enrol-explained = Das Gesicht, mit dem sich ein Bewerber beworben hat, oder wer eingestellt wurde. Das Bild selbst wird nicht behalten, nur seine Vorlage.
enrol-display-name = Name für Menschen
enrol-session = Oder eine beendete Sitzung
enrol-submit = Aufnehmen
enrol-refused = Die Referenz wurde nicht aufgenommen.
enrol-bad-candidate = Der Bewerber muss aus 1 bis 128 Buchstaben, Ziffern, Punkten, Unterstrichen und Strichen bestehen.
enrol-bad-session = Nennen Sie eine Sitzung, als sessions/…
purpose-applied = Bewerbung
purpose-interviewed = Gespräch
purpose-hired = Einstellung
reference-purpose = Zeigt
reference-created = Aufgenommen
reference-delete = Löschen

ledger-different = Unter diesem Bewerber wurden verschiedene Gesichter gesehen, und niemand hat es bisher angesehen.
ledger-entries = Referenzen und Sitzungen
ledger-entry = Eintrag
ledger-when = Wann
ledger-face = Vorlage
ledger-more = Ältere Sitzungen sind ausgelassen.
ledger-pairs = Miteinander verglichen
ledger-pairs-none = Es gibt keine zwei Gesichter zu vergleichen.
ledger-pairs-explained = Die unähnlichsten zuerst. Die Nummern sind die der Einträge oben.
ledger-pairs-more = Weitere Paare sind ausgelassen.
ledger-pair = Einträge
ledger-kind = Wozu
pair-within = zwei Personen in einer Sitzung
pair-rounds = von Runde zu Runde
pair-applied = Bewerbung und Gespräch
pair-hired = Gespräch und Einstellung
pair-other = Referenzen
template-pending = noch nicht gemacht
template-kept = gemacht
template-no-consent = keine: Es ist keine Einwilligung genannt
template-no-face = keine: Kein Gesicht war gut genug zu sehen
template-expired = am Ende ihrer Frist gelöscht
template-other-model = von einem anderen Modell
template-unreadable = nicht zu öffnen

seen-title = Schon gesehen
seen-none = Unter den hier gehaltenen Gesichtern fiel nichts auf.
seen-more = Es gibt mehr.
seen-ledger = Akte des Bewerbers

scene-title = Derselbe Ort
scene-lead = Sitzungen, deren Hintergrund mit diesem übereinstimmt. Menschen werden aus dem Bild gelassen, bevor etwas verglichen wird; ein gespiegeltes Bild gilt als dasselbe.
scene-hits = Übereinstimmende Hintergründe
scene-none = Kein Hintergrund stimmt gut genug überein. Eine kahle Wand oder ein unscharfer Hintergrund hat keinen eigenen Ort und wird nirgends gefunden.
scene-many = Viele Sitzungen teilen diesen Hintergrund. Es ist wohl ein Büro, ein Logo oder ein virtueller Hintergrund, den viele wählen, und sagt wenig über irgendjemanden.
scene-how-alike = Wie gut sie übereinstimmen
scene-score = Übereinstimmung { $n }, { $features } Merkmale
scene-mirrored = einer davon gespiegelt
scene-searched = Durchsuchte Hintergründe
scene-threshold = Gezeigt ab Übereinstimmung
scene-left-out = Ausgelassen: nicht zu öffnen oder zu vergleichen
scene-too-old = Ausgelassen: älter als das, was gehalten wird
scene-figures-explained = So viele Hintergründe anderer Orte sind unter den gezeigten zu erwarten, wenn sonst niemand an diesem Ort saß.
scene-false-matches-measured = { $expected } ({ $low } bis { $high }), gemessen an Paaren von Orten
scene-false-matches-extrapolated = { $expected } ({ $low } bis { $high }), hochgerechnet: zu wenige Paare von Orten stimmten so gut überein, um sie zu zählen
scene-opinion-same = Sieht nach einem Ort aus.
scene-opinion-different = Sieht nach zwei Orten aus.
scene-ratio-even = Eine solche Übereinstimmung ist bei einem Ort etwa so wahrscheinlich wie bei zweien.
scene-ratio-one = Eine solche Übereinstimmung ist bei einem Ort etwa { $n }-mal so wahrscheinlich wie bei zweien.
scene-ratio-one-at-least = Eine solche Übereinstimmung ist bei einem Ort mindestens { $n }-mal so wahrscheinlich wie bei zweien.
scene-ratio-two = Eine solche Übereinstimmung ist bei zwei Orten etwa { $n }-mal so wahrscheinlich wie bei einem.
scene-ratio-two-at-least = Eine solche Übereinstimmung ist bei zwei Orten mindestens { $n }-mal so wahrscheinlich wie bei einem.
scene-verdict-same = Derselbe Ort
scene-verdict-different = Verschiedene Orte
scene-compared = Die Orte hinter ihnen
scene-frame-alt = Bild von { $participant } am Anfang
scene-means = Was es heißt: um wie viel häufiger eine solche Übereinstimmung zwischen zwei Bildern eines Ortes ({ $same } Orte) vorkam als zwischen Bildern zweier ({ $different } Orte).
scene-means-not = Was es nicht heißt: Einen Ort zu teilen ist kein Vergehen. Menschen teilen Wohnungen, Büros und virtuelle Hintergründe.
scene-said = Was bisher über die beiden Orte gesagt wurde
scene-say = Was sagen Sie zu den Orten?
