"""The pages that people see: review, funnel and quality. No pandas, Arrow or torch in this process."""
