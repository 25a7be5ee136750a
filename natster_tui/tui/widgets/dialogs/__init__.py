"""What dialogs are made of: pages of lines, boxes to check, hints that can be clicked."""
