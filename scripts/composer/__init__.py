"""From a brief to a lead sheet, with a model and a critic."""
