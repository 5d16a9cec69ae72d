"""The pages that people see: review, funnel, quality and duplicates. No pandas, Arrow or torch in this process."""
