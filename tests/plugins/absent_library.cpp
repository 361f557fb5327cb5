namespace absent {

int answer_of(long question);

int answer_of(long question) {
  return static_cast<int>(question);
}

}  // namespace absent
