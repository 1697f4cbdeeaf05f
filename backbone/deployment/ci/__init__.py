"""Pipelines as the services that run them want them: workflows of GitHub Actions and of GitLab CI."""
