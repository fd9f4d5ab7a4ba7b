"""Files both ways: what people send is fetched and shared in their thread, what is typed in a thread goes out."""
