"""A version's card in the forms that other systems take: Hugging Face, SageMaker, CycloneDX."""
