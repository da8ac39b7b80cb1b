"""What several tasks share: layouts, experts and goals of which a task file fills in the rest."""
