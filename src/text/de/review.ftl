review-title = Prüfung
