"""What others dial beside the API: listeners over the mirror. They need no lease; any number of processes runs them."""
