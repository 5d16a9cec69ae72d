"""What the pages and files show: measures of rounds, of people, and of the labels' quality."""
